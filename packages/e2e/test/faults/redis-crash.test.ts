import { useRedis } from "../adapters/brokers.js";
import { REDIS_CONTENDERS } from "./contenders.js";
import { crashSuite } from "./crash.js";

crashSuite(useRedis({ isDurable: true }), REDIS_CONTENDERS);

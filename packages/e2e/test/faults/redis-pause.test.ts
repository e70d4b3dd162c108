import { useRedis } from "../adapters/brokers.js";
import { REDIS_CONTENDERS } from "./contenders.js";
import { pauseSuite } from "./pause.js";

pauseSuite(useRedis(), REDIS_CONTENDERS);

import { usePostgres } from "../adapters/brokers.js";
import { POSTGRES_CONTENDER } from "./contenders.js";
import { crashSuite } from "./crash.js";

crashSuite(usePostgres(), [POSTGRES_CONTENDER]);

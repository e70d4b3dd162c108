import { usePostgres } from "../adapters/brokers.js";
import { POSTGRES_CONTENDER } from "./contenders.js";
import { pauseSuite } from "./pause.js";

pauseSuite(usePostgres(), [POSTGRES_CONTENDER]);

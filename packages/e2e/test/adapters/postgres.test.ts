import { usePostgres } from "./brokers.js";
import { postgresKit } from "./postgres-kit.js";
import { adapterSuite } from "./suite.js";

const postgres = usePostgres();

adapterSuite(postgresKit(postgres), ["subject", "subject", "subject"]);
adapterSuite(postgresKit(postgres), ["subject", "official"]);
adapterSuite(postgresKit(postgres), ["official", "subject"]);

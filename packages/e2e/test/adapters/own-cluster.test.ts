import { memoryKit } from "./own-cluster-kits.js";
import { adapterSuite } from "./suite.js";

adapterSuite(memoryKit(), ["subject", "subject", "subject"]);
adapterSuite(memoryKit(), ["subject", "official"]);
adapterSuite(memoryKit(), ["official", "subject"]);
// Our class under the official server, and the other way round.
adapterSuite(memoryKit(true), ["subject", "official"]);
adapterSuite(memoryKit(true), ["official", "subject"]);

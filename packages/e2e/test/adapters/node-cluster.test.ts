import { nodeClusterKit } from "./node-cluster-kit.js";
import { adapterSuite } from "./suite.js";

adapterSuite(nodeClusterKit(), ["subject", "subject", "subject"]);
adapterSuite(nodeClusterKit(), ["subject", "official"]);
adapterSuite(nodeClusterKit(), ["official", "subject"]);

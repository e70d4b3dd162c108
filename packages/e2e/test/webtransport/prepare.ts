import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { rolldown, type Plugin } from "rolldown";

const run = promisify(execFile);

/** Ignored by git, and near enough to `node_modules` for what is loaded from there. */
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/webtransport", import.meta.url));

/** How to start a Node.js in which the QUIC binding loads, and what it is to run. */
export interface Prepared {
  readonly command: string;
  readonly args: readonly string[];
  /** The folder of what belongs to this run alone. */
  readonly folder: string;
}

/**
 * Prepares a process that can speak QUIC: the bundle of our sources and the scenarios, and a C
 * library that is new enough for the binding. Downloads the latter at most once.
 *
 * @returns how to start the process, or why there is none on this machine
 */
export async function prepare(): Promise<Prepared | string> {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, "run-"));
  const loader = await findLoader(folder);
  const problem = typeof loader === "string" ? loader : await makeCertificate(folder);
  if (typeof loader === "string" || problem !== undefined) {
    await rm(folder, { recursive: true });
    return `WebTransport: ${problem}`;
  }
  await bundle(folder);
  const [command, ...args] = [...loader, process.execPath, join(folder, "runner.mjs")];
  return { command, args, folder };
}

// ── the bundle ───────────────────────────────────────────────────────────────

/** The binding lies beside the sources of its package, and loads its native part from there. */
const binding: Plugin = {
  name: "binding",
  resolveId(id, importer) {
    if (importer === undefined || !id.endsWith("/napi.cjs")) return undefined;
    return { id: join(dirname(importer), id), external: "absolute" };
  },
};

async function bundle(dir: string): Promise<void> {
  const require = createRequire(import.meta.url);
  const build = await rolldown({
    input: {
      runner: fileURLToPath(new URL("runner.ts", import.meta.url)),
      quic: require.resolve("@moq/web-transport"),
    },
    platform: "node",
    external: ["playwright-core"],
    plugins: [binding],
    resolve: { conditionNames: ["@jackfield/source", "node", "import"] },
    logLevel: "silent",
  });
  await build.write({ dir, format: "esm", entryFileNames: "[name].mjs" });
  await build.close();
}

// ── the certificate ──────────────────────────────────────────────────────────

const CERTIFICATE = [
  "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 10 -subj /CN=localhost",
  "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem",
].flatMap((line) => line.split(" "));

/** Browsers take a certificate by its hash if it is ECDSA and lasts at most 14 days. */
async function makeCertificate(cwd: string): Promise<string | undefined> {
  try {
    await run("openssl", CERTIFICATE, { cwd });
    return undefined;
  } catch (error) {
    return `no certificate, because ${firstLine(error)}`;
  }
}

// ── the C library ────────────────────────────────────────────────────────────

/** The version of the GNU C library that the binding is linked against. */
const NEEDED_GLIBC = [2, 38] as const;
/** The Debian release whose C library is taken when that of the machine is older. */
const SUITE = "trixie";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const APT_TIMEOUT_MS = 60_000;

/** @returns the words before the path of Node.js, none if it can be started as it is */
async function findLoader(folder: string): Promise<string[] | string> {
  if (process.platform !== "linux" || hasNewGlibc()) return [];
  const root = join(CACHE, "libc");
  try {
    if (!existsSync(root)) await download(folder, root);
    const folders = await readdir(join(root, "usr/lib"));
    const triplet = folders.find((name) => name.endsWith("-linux-gnu"));
    if (triplet === undefined) throw new Error("the package of the C library holds none");
    const libraries = join(root, "usr/lib", triplet);
    const name = (await readdir(libraries)).find((file) => file.startsWith("ld-linux"));
    if (name === undefined) throw new Error("the package of the C library holds no loader");
    const path = [libraries, `/usr/lib/${triplet}`, `/lib/${triplet}`].join(":");
    return [join(libraries, name), "--library-path", path];
  } catch (error) {
    return `the QUIC binding needs glibc ${NEEDED_GLIBC.join(".")}, and ${firstLine(error)}`;
  }
}

function hasNewGlibc(): boolean {
  const report = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  const [major = 0, minor = 0] = (report.header.glibcVersionRuntime ?? "").split(".").map(Number);
  const [neededMajor, neededMinor] = NEEDED_GLIBC;
  return major > neededMajor || (major === neededMajor && minor >= neededMinor);
}

/** Unpacks the C library into `root`. apt is told to look nowhere but into a folder of ours. */
async function download(folder: string, root: string): Promise<void> {
  const apt = join(folder, "apt");
  await mkdir(join(apt, "lists/partial"), { recursive: true });
  await mkdir(join(apt, "cache/archives/partial"), { recursive: true });
  const mirror = await findMirror();
  await writeFile(
    join(apt, "sources.list"),
    `deb [signed-by=${KEYRING}] ${mirror} ${SUITE} main\n`,
  );
  const settings = [
    `Dir::Etc::SourceList=${apt}/sources.list`,
    "Dir::Etc::SourceParts=/dev/null",
    `Dir::State::Lists=${apt}/lists`,
    `Dir::Cache=${apt}/cache`,
    "APT::Sandbox::User=",
  ].flatMap((setting) => ["-o", setting]);
  const options = { cwd: apt, timeout: APT_TIMEOUT_MS };
  await run("apt-get", ["-q", ...settings, "update"], options);
  await run("apt-get", ["-q", ...settings, "download", "libc6"], options);
  const archive = (await readdir(apt)).find((name) => name.endsWith(".deb"));
  if (archive === undefined) throw new Error("apt-get downloaded nothing");
  await run("dpkg-deb", ["-x", archive, "root"], options);
  // Renamed when it is complete: an interrupted run leaves nothing half done.
  await rename(join(apt, "root"), root).catch((error: unknown) => {
    // Another run may have been faster.
    if (!existsSync(root)) throw error;
  });
  await rm(apt, { recursive: true });
}

/** The Debian mirror that this machine uses. */
async function findMirror(): Promise<string> {
  const release = await readFile("/etc/os-release", "utf8");
  const codename = /^VERSION_CODENAME=(.*)$/m.exec(release)?.[1];
  const format = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(CREATED_BY)";
  const { stdout } = await run("apt-get", ["indextargets", "--format", format]);
  for (const line of stdout.split("\n")) {
    const [uri, suite, component, kind] = line.split(" ");
    if (suite === codename && component === "main" && kind === "Packages" && uri !== undefined) {
      return uri;
    }
  }
  throw new Error("apt-get knows no mirror of Debian");
}

function firstLine(error: unknown): string {
  const { message, stderr } = error as { message: string; stderr?: string };
  return (stderr?.trim() || message).split("\n")[0] ?? message;
}

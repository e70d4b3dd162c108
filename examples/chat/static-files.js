// Serves the files of one folder and nothing else.
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

// Nothing inline and nothing from elsewhere: were a user's text ever to become markup, the browser
// would still not run it. 'self' in connect-src covers the WebSocket too.
const HEADERS = {
  "Cache-Control": "no-cache",
  "Content-Security-Policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; "),
  "Cross-Origin-Opener-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

function send(response, status, body, headers) {
  const length = Buffer.byteLength(body);
  response.writeHead(status, { ...HEADERS, "Content-Length": length, ...headers });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

function sendText(response, status, text, headers) {
  send(response, status, `${text}\n`, { "Content-Type": "text/plain; charset=utf-8", ...headers });
}

/**
 * Makes a request listener for the files that are directly in `folder` (a file URL ending in "/").
 * The names are read once: a path that is not one of them is answered with 404 without ever
 * touching the disk, so no path can lead out of the folder.
 */
export function staticFiles(folder) {
  const names = new Set(readdirSync(folder).filter((name) => extname(name) in TYPES));

  return async (request, response) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      sendText(response, 405, "Method not allowed", { Allow: "GET, HEAD" });
      return;
    }
    const [path] = request.url.split("?", 1);
    const name = path === "/" ? "index.html" : path.slice(1);
    if (!names.has(name)) {
      sendText(response, 404, "Not found");
      return;
    }
    try {
      send(response, 200, await readFile(new URL(name, folder)), {
        "Content-Type": TYPES[extname(name)],
      });
    } catch {
      sendText(response, 500, "The file could not be read");
    }
  };
}

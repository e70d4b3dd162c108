// One port for all nodes: the work of nginx or HAProxy, in as few lines as possible.
//
// While a client polls, each of its requests is one of many, and all must reach the node that has
// its session: "sticky sessions". The id of a session begins with the name of its node (node.js sees
// to it), so this balancer remembers nothing and could run several times, too.
import { once } from "node:events";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { pipeline } from "node:stream";

const IS_ENGINE = /[?&]transport=/;
const OWNER = /[?&]sid=([^-&]*)-/;
const HOST = "127.0.0.1";

/** Listens on a port, and shares out what comes to `nodes`. */
export async function startBalancer(nodes, ownPort) {
  let turn = 0;

  /** The port of the node for a request; undefined while there is none. */
  const portFor = ({ url }) => {
    const alive = nodes.filter((node) => node.port !== undefined);
    const owner = alive.find(({ name }) => name === OWNER.exec(url)?.[1]);
    if (owner !== undefined) return owner.port;
    // For new sessions, the nodes take turns. Pages come from any node. And a session whose node is
    // dead: the other one does not know it and says so, whereupon the client connects anew.
    if (IS_ENGINE.test(url) && !OWNER.test(url)) turn += 1;
    return alive[turn % alive.length]?.port;
  };

  const server = createServer((req, res) => {
    const port = portFor(req);
    if (port === undefined) {
      res.writeHead(503).end();
      return;
    }
    const { method, url: path, headers } = req;
    const onward = request({ host: HOST, port, method, path, headers });
    onward.on("response", (answer) => {
      res.writeHead(answer.statusCode, answer.headers);
      pipeline(answer, res, () => {});
    });
    onward.on("error", () => {
      if (res.headersSent) res.destroy();
      else res.writeHead(502).end();
    });
    // A client that hangs up does not wait for its poll any longer.
    res.on("close", () => onward.destroy());
    req.pipe(onward);
  });

  // A WebSocket begins as a request, and is a mere stream of bytes from then on.
  server.on("upgrade", (req, socket, head) => {
    const port = portFor(req);
    if (port === undefined) {
      socket.end("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n");
      return;
    }
    const onward = connect(port, HOST);
    onward.write(`${req.method} ${req.url} HTTP/1.1\r\n`);
    for (let index = 0; index < req.rawHeaders.length; index += 2) {
      onward.write(`${req.rawHeaders[index]}: ${req.rawHeaders[index + 1]}\r\n`);
    }
    onward.write("\r\n");
    onward.write(head);
    pipeline(socket, onward, () => {});
    pipeline(onward, socket, () => {});
  });

  server.listen(ownPort);
  await once(server, "listening");
  return {
    url: `http://localhost:${server.address().port}`,
    /** Lets nobody in any more. Those who are in leave when their node stops. */
    async stop() {
      server.close();
    },
  };
}

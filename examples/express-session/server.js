// Who logs in to the Express application is known to Socket.IO, too: both use one session. Run it
// with `npm run example:express-session` in the root folder; PORT says where it listens.
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { Server } from "@jackfield/socketio";
import express from "express";
import expressSession from "express-session";

const { PORT, SESSION_SECRET } = process.env;

// express-session keeps sessions in memory unless it is given a store: good enough for one process.
const sessions = expressSession({
  // With a secret that survives a restart and a store that does, the sessions do.
  secret: SESSION_SECRET || randomBytes(32).toString("hex"),
  resave: false,
  saveUninitialized: false,
  cookie: {
    maxAge: 24 * 3600 * 1000,
    // The browser does not send the cookie along when another site opens a connection to this one.
    sameSite: "lax",
    // With HTTPS, as it should be: secure: true
  },
});

const app = express();
const httpServer = createServer(app);
const io = new Server(httpServer);

app.use(sessions);
io.engine.use(sessions);

// --- HTTP

app.get("/", (_req, res) => res.sendFile(fileURLToPath(new URL("page.html", import.meta.url))));

app.get("/me", ({ session: { user, clicks = 0 } }, res) => res.json({ user, clicks }));

app.post("/login", express.urlencoded({ extended: false }), (req, res, next) => {
  const user = req.body?.user;
  // A real application asks for more than a name.
  if (typeof user !== "string" || user === "" || user.length > 20) {
    res.status(400).send("A name has 1 to 20 characters.");
    return;
  }
  // A new id, so that nobody can log others in to a session whose id they know.
  req.session.regenerate((error) => {
    if (error) {
      next(error);
      return;
    }
    req.session.user = user;
    res.redirect(303, "/");
  });
});

app.post("/logout", (req, res, next) => {
  const { id } = req.session;
  req.session.destroy((error) => {
    if (error) {
      next(error);
      return;
    }
    io.in(id).disconnectSockets(true); // all windows of this session, and no other
    res.clearCookie("connect.sid").redirect(303, "/");
  });
});

// --- Socket.IO

io.use(({ request }, next) => {
  next(request.session.user === undefined ? new Error("please log in") : undefined);
});

io.on("connection", async (socket) => {
  const { request } = socket; // the one that opened the connection; its session is as it was then

  // Before each event the session is read again: it may have changed, ended or expired meanwhile.
  socket.use((_event, next) => {
    request.session.reload((error) => {
      if (error) socket.disconnect(true);
      else next();
    });
  });

  socket.on("click", (answer) => {
    if (typeof answer !== "function") return;
    const { session } = request;
    session.clicks = (session.clicks ?? 0) + 1;
    // Express saves at the end of a response; here is none.
    session.save((error) => {
      if (error) socket.disconnect(true);
      else answer(session.clicks);
    });
  });

  await socket.join(request.session.id);
});

httpServer.listen(Number(PORT || 3004), () => {
  const { port } = httpServer.address();
  console.log(`The application is on http://localhost:${port} (Ctrl+C stops it)`);
});

async function stop() {
  await io.drain({ timeout: 5000 }); // everybody gets what was sent, and may reconnect elsewhere
  await io.close();
}
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, stop);

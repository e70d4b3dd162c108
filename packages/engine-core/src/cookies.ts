import { stringifySetCookie, type SerializeOptions } from "cookie";

/** The cookie that carries the session id, for load balancers that route by it. */
export interface CookieOptions extends SerializeOptions {
  /** Default `"io"`. */
  readonly name?: string;
}

/** Makes the value of `Set-Cookie` for a session (behaviour 23). */
export function sessionCookie(sid: string, { name = "io", ...options }: CookieOptions): string {
  return stringifySetCookie(name, sid, {
    path: "/",
    httpOnly: true,
    sameSite: "lax",
    ...options,
  });
}

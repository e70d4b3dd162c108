import { expect, test } from "vitest";
import { sessionCookie } from "../src/cookies.js";

test("the cookie has the attributes of the npm package (23)", () => {
  expect(sessionCookie("abc", {})).toBe("io=abc; Path=/; HttpOnly; SameSite=Lax");
});

test("every attribute can be changed", () => {
  expect(
    sessionCookie("abc", {
      name: "sid",
      path: "/app",
      httpOnly: false,
      sameSite: "none",
      secure: true,
    }),
  ).toBe("sid=abc; Path=/app; Secure; SameSite=None");
});

import { Socket } from "node:net";

/**
 * More than V8 keeps apart in one place of a program, which is four, and more than it lets pass before
 * it looks at all: with Node 20, both together are 21.
 */
const SHAPES = 64;

let areVaried = false;

/**
 * Makes each connection that Node accepts cheaper, by letting V8 see that `net.Socket` gets options of
 * many shapes.
 *
 * The constructor copies its options and adds to them. While they have few shapes, V8 11 copies them
 * as a whole, to an object of a hidden class from which it remembers no way on: every connection gets
 * three new hidden classes, none of the 29 lookups in its options finds anything in V8's tables, and
 * what these lookups leave there pushes out the entries of others. Seen with `node --log-ic`. Options of
 * many shapes are copied one by one, to objects of hidden classes that are remembered.
 *
 * Opening a connection with namespace took 85 µs of CPU without this, and 62 with it (medians of three
 * processes each, in turns; bare `ws`, 54 and 48). Later versions of V8 do not need it.
 */
export function varySocketOptions(): void {
  if (areVaried || !process.versions.v8.startsWith("11.")) return;
  areVaried = true;
  // Without a handle a socket is an object, and no more.
  for (let shape = 0; shape < SHAPES; shape += 1) void new Socket({ [`shape${shape}`]: shape });
}

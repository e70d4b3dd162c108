import { expect, test } from "vitest";
import { Member } from "../../src/adapter/member.js";

/** Members of the names "0", "1", ... */
function crowd(size: number): Member[] {
  return Array.from({ length: size }, (_, index) => new Member(String(index), index));
}

function namesOf(member: Member): string[] {
  return member.list().map(({ name }) => name);
}

// One by itself, a list, a longer one, and with an index.
test.each([1, 2, 4, 5, 17, 128, 129, 1000])("%d partners come, are found, and leave", (size) => {
  const room = new Member("room", 0);
  const sockets = crowd(size);
  const count = (ask: (socket: Member) => boolean) => sockets.filter(ask).length;
  expect(count((socket) => room.includes(socket))).toBe(0);
  for (const socket of sockets) room.append(socket);
  expect(count((socket) => room.includes(socket) && room.has(socket))).toBe(size);
  expect(room.includes(new Member("0", 0))).toBe(false);
  expect(room.size).toBe(size);
  expect(namesOf(room)).toEqual(sockets.map(({ name }) => name));
  expect(room.names).toBeUndefined();
  expect(count((socket) => socket.held === 1)).toBe(size);
  expect(count((socket) => room.remove(socket) && !room.remove(socket))).toBe(size);
  expect(room.size).toBe(0);
  expect(namesOf(room)).toEqual([]);
  expect(count((socket) => socket.held === 0)).toBe(size);
});

test.each([1, 2, 17, 129])("of %d partners, each is found where it is listed", (size) => {
  const room = new Member("room", 0);
  const sockets = crowd(size);
  for (const socket of sockets) room.append(socket);
  const isFound = (at: number) => sockets.filter((socket, place) => room.hasAt(socket, place + at));
  // Wherever it is looked for first, it is found.
  expect(isFound(0)).toHaveLength(size);
  expect(isFound(1)).toHaveLength(size);
  const [first] = sockets;
  if (first !== undefined) room.remove(first);
  expect(isFound(0)).toEqual(sockets.slice(1));
});

test.each([6, 40, 400])("of %d partners the order stays, whatever happens", (size) => {
  const room = new Member("room", 0);
  const sockets = crowd(size);
  const expected = new Set<string>();
  const differences: number[] = [];
  let seed = size;
  for (let step = 0; step < 10_000; step += 1) {
    seed = (seed * 48_271) % 2_147_483_647;
    // In turns most of them come, and most of them leave.
    const isGrowing = step % 2000 < 1000;
    const socket = sockets[seed % size] as Member;
    const isThere = expected.has(socket.name);
    if (room.includes(socket) !== isThere) differences.push(step);
    if (isGrowing ? seed % 7 < 5 : seed % 7 < 2) {
      if (!isThere) room.append(socket);
      expected.add(socket.name);
    } else {
      expected.delete(socket.name);
      if (room.remove(socket) !== isThere) differences.push(step);
    }
    if (namesOf(room).join() !== [...expected].join()) differences.push(step);
    if (room.size !== expected.size) differences.push(step);
  }
  expect(differences).toEqual([]);
});

test("the last one, the first one and one between leave", () => {
  const room = new Member("room", 0);
  const sockets = crowd(5);
  for (const socket of sockets) room.append(socket);
  const seen = [4, 0, 2].map((at) => {
    room.remove(sockets[at] as Member);
    return namesOf(room);
  });
  expect(seen).toEqual([
    ["0", "1", "2", "3"],
    ["1", "2", "3"],
    ["1", "3"],
  ]);
  room.append(sockets[4] as Member);
  expect(namesOf(room)).toEqual(["1", "3", "4"]);
});

test.each([1, 3, 200])("%d references are taken at once", (size) => {
  const socket = new Member("socket", 0);
  const rooms = crowd(size);
  for (const room of rooms) socket.append(room);
  expect(socket.takeAll()).toEqual(rooms);
  expect(socket.size).toBe(0);
  expect(socket.list()).toEqual([]);
  expect(rooms.filter(({ held }) => held > 0)).toEqual([]);
});

test.each([0, 1, 3, 200])("%d references become the names in a set that is given", (size) => {
  const room = new Member("room", 0);
  const sockets = crowd(size);
  for (const socket of sockets) room.append(socket);
  const names = new Set(["first"]);
  room.keepNames(names);
  expect(room.names).toBe(names);
  expect([...names]).toEqual(["first", ...sockets.map(({ name }) => name)]);
  expect(room.size).toBe(size + 1);
  expect(room.list()).toEqual([]);
  expect(sockets.filter(({ held }) => held > 0)).toEqual([]);
  expect(room.has(new Member("first", 0))).toBe(true);
  expect(room.has(new Member("other", 0))).toBe(false);
});

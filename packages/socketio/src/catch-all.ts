import type { AnyListener } from "./api.js";

/**
 * Listeners of every event. A list is never changed, only replaced: whoever walks one needs no
 * copy, and a socket without such listeners has no list at all.
 */
export type ListenerList = readonly AnyListener[] | undefined;

/** The list with a listener behind the others. */
export function append(list: ListenerList, listener: AnyListener): ListenerList {
  return list === undefined ? [listener] : [...list, listener];
}

/** The list with a listener before the others. */
export function prepend(list: ListenerList, listener: AnyListener): ListenerList {
  return list === undefined ? [listener] : [listener, ...list];
}

/** The list without the first occurrence of a listener, or without any. */
export function without(list: ListenerList, listener?: AnyListener): ListenerList {
  if (list === undefined || listener === undefined) return undefined;
  const index = list.indexOf(listener);
  if (index === -1) return list;
  return list.length === 1 ? undefined : list.toSpliced(index, 1);
}

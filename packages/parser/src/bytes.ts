/** Bytes in every form that user code hands over. */
export type Bytes = ArrayBuffer | ArrayBufferView;

/**
 * Tells whether a value is raw bytes: a `Buffer`, any other view on an `ArrayBuffer`, or an
 * `ArrayBuffer` itself (behaviour 89). Blobs are not: see {@link isBlob}.
 */
export function isBytes(value: unknown): value is Bytes {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}

/**
 * Tells whether a value is a `Blob` or a `File`. These are binary for users, but their bytes can
 * only be read asynchronously, so that no synchronous encoder can send them.
 */
export function isBlob(value: unknown): boolean {
  // `File` is a subclass. A host that stubs the global with something else has no blobs.
  return typeof Blob === "function" && value instanceof Blob;
}

/** Makes a `Buffer` of the same memory: no byte is copied, and later writes show through. */
export function toBuffer(bytes: Bytes): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  if (ArrayBuffer.isView(bytes)) {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  return Buffer.from(bytes);
}

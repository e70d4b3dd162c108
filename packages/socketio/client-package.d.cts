/**
 * The path of the manifest of the installed package `socket.io-client`.
 *
 * @throws {Error} MODULE_NOT_FOUND, when it is not installed
 */
export function resolveClientManifest(): string;

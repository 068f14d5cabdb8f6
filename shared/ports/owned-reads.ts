import { type OnReadOpts, Socket, type SocketConstructorOpts } from "node:net";

/** Where a socket's bytes go: `buffer` gives the memory for the next read, `callback` hears how much of it was filled. */
export interface OwnedReads {
  buffer(): Buffer;
  /** Must not throw. */
  callback(bytesRead: number): void;
}

/** For `net.connect`: reads go straight into memory of ours, without the stream's own buffer and copy. */
export function onreadOption(reads: OwnedReads): OnReadOpts {
  return {
    buffer: () => reads.buffer(),
    callback: (bytesRead) => {
      reads.callback(bytesRead);
      return true;
    },
  };
}

/**
 * The same for a connection that a server accepted: Node takes `onread` only in the constructor of a Socket, and a
 * server makes its sockets itself, so the handle is moved to a new Socket. The server must have `pauseOnConnect`, or
 * bytes are lost. `_handle` is not a documented name; all that depends on it is in this function, with a test. Returns
 * undefined, and leaves the socket as it was, when this Node has no such handle.
 */
export function moveToOwnedReads(accepted: Socket, reads: OwnedReads): Socket | undefined {
  const { _handle: handle } = accepted as unknown as { readonly _handle?: unknown };
  if (typeof handle !== "object" || handle === null || !("useUserBuffer" in handle)) return undefined;
  (accepted as unknown as { _handle: unknown })._handle = null;
  const options = { handle, onread: onreadOption(reads), readable: true, writable: true };
  const moved = new Socket(options as unknown as SocketConstructorOpts);
  // Only takes the shell off the server's count: its handle is gone.
  accepted.destroy();
  return moved;
}

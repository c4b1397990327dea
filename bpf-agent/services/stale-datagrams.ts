import { readdirSync, readlinkSync } from 'node:fs';
import { closeFd, connectSocket, openProcess, socketCookie, takeDescriptor } from '../loader/libc.ts';
import type { ServiceMaps, TranslationEntry, TranslationKey } from '../maps/services.ts';

const UDP = 17;
const AF_INET = 2;
const AF_INET6 = 10;
const IPV4_BYTES = 16;
const IPV6_BYTES = 28;

/**
 * Connected datagram sockets whose backend is gone. The kernel asks nobody about what they send, so each is connected again to
 * the frontend its program asked for, and with that to a backend that lives: the socket stays, and its port.
 */
export class StaleDatagrams {
  readonly #maps: Pick<ServiceMaps, 'translations' | 'backends' | 'services'>;
  readonly #procRoot: string;
  /** Backends that may still have sockets with them. */
  readonly #gone = new Set<number>();

  constructor(maps: Pick<ServiceMaps, 'translations' | 'backends' | 'services'>, procRoot = '/proc') {
    this.#maps = maps;
    this.#procRoot = procRoot;
  }

  /** Takes note of backends that are gone, and moves who was with them. */
  gone(backends: readonly number[]): void {
    for (const id of backends) this.#gone.add(id);
    this.settle();
  }

  /** Moves who could not be moved before, as when there was no other backend. To be called now and then. */
  settle(): void {
    if (this.#gone.size === 0) return;
    const waiting = new Set<number>();
    const moved = new Map<bigint, number>();
    for (const [key, translation] of [...this.#maps.translations]) {
      if (key.protocol !== UDP || !translation.connected || !this.#gone.has(translation.backend)) continue;
      const frontend = { address: translation.address, port: translation.port, protocol: UDP };
      const service = this.#maps.services.get(frontend);
      // A Service that is gone gives nothing to move to; one that is empty may get backends.
      if (service === undefined) this.#maps.translations.delete(key);
      else if (service.slots === 0) waiting.add(translation.backend);
      else {
        this.#maps.translations.delete(key);
        if (this.#reconnect(key, translation)) moved.set(key.socket, translation.process);
      }
    }
    this.#gone.clear();
    for (const id of waiting) this.#gone.add(id);
    if (moved.size > 0) this.#giveBack(moved);
  }

  /** The kernel takes us for who asked: the socket is still its program's, where it is looked for the next time. */
  #giveBack(moved: ReadonlyMap<bigint, number>): void {
    for (const [key, translation] of [...this.#maps.translations]) {
      const process = moved.get(key.socket);
      if (process !== undefined && translation.connected) this.#maps.translations.set(key, { ...translation, process });
    }
  }

  #reconnect({ socket }: TranslationKey, { process: pid, address, port }: TranslationEntry): boolean {
    const processFd = openProcess(pid).value;
    if (processFd < 0) return false; // it has ended, and its socket with it
    try {
      for (const name of socketsOf(`${this.#procRoot}/${pid}/fd`)) {
        const fd = takeDescriptor(processFd, name).value;
        if (fd < 0) continue;
        try {
          if (socketCookie(fd) !== socket) continue;
          // An IPv6 socket takes IPv4 in its mapped form, an IPv4 socket refuses it.
          const taken = connectSocket(fd, ipv6Address(address, port)).value >= 0;
          return taken || connectSocket(fd, ipv4Address(address, port)).value >= 0;
        } finally {
          closeFd(fd);
        }
      }
      return false;
    } finally {
      closeFd(processFd);
    }
  }
}

function socketsOf(folder: string): number[] {
  try {
    return readdirSync(folder).flatMap((name) =>
      readlinkSync(`${folder}/${name}`).startsWith('socket:') ? Number(name) : [],
    );
  } catch {
    return []; // it ended while we looked
  }
}

/** struct sockaddr_in6 */
function ipv6Address(address: Uint8Array, port: number): Uint8Array {
  const bytes = new Uint8Array(IPV6_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_INET6, true);
  view.setUint16(2, port, false);
  bytes.set(address, 8);
  return bytes;
}

/** struct sockaddr_in; @param address the 16-byte form */
function ipv4Address(address: Uint8Array, port: number): Uint8Array {
  const bytes = new Uint8Array(IPV4_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, port, false);
  bytes.set(address.subarray(12), 4);
  return bytes;
}

/** Hearing when a network namespace's links come and go. */
import { closeFd, receiveOn } from '../loader/libc.ts';
import { type Link, parseLink, RTM } from './link.ts';
import { type NetlinkMessage, parseMessages } from './message.ts';
import { openSocket, RECEIVE_BYTES } from './route-socket.ts';

const RTMGRP_LINK = 1;
const ENOBUFS = 105;

/** What a subscription tells. `missed` = the kernel had to drop messages: list the links anew. */
export interface LinkListener {
  added(link: Link): void;
  removed(link: Link): void;
  missed(): void;
}

/** Links of this thread's network namespace as they come (or change) and go. Polled, since Node cannot wait on such a socket. */
export class LinkSubscription {
  readonly #fd: number;
  readonly #timer: NodeJS.Timeout;
  readonly #listener: LinkListener;
  readonly #buffer = new Uint8Array(RECEIVE_BYTES);

  /** @throws LoaderError `netlink-failed`. */
  constructor(listener: LinkListener, pollMilliseconds = 50) {
    this.#listener = listener;
    this.#fd = openSocket(RTMGRP_LINK);
    this.#timer = setInterval(() => this.poll(), pollMilliseconds);
    this.#timer.unref();
  }

  /** Delivers what has come; the timer calls it. */
  poll(): void {
    for (;;) {
      const { value, errno } = receiveOn(this.#fd, this.#buffer);
      if (value < 0) {
        if (errno !== ENOBUFS) return;
        this.#listener.missed();
        continue;
      }
      if (value > this.#buffer.length) {
        this.#listener.missed();
        continue;
      }
      for (const message of parseMessages(this.#buffer.subarray(0, value))) this.#deliver(message);
    }
  }

  close(): void {
    clearInterval(this.#timer);
    closeFd(this.#fd);
  }

  #deliver(message: NetlinkMessage): void {
    const link = parseLink(message);
    if (!link) return;
    if (message.type === RTM.NEWLINK) this.#listener.added(link);
    else this.#listener.removed(link);
  }
}

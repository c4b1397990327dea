import { type LabLayout, podNetns } from '../lab-layout.ts';
import { attachPods, detachPods, type PodLink } from '../network/pod-link.ts';
import {
  type DualAddress,
  type LabSubnets,
  MAX_PODS_PER_NODE,
  nodeAddress,
  podAddress,
  podGateway,
} from '../network/subnets.ts';

interface Waiting {
  link: PodLink;
  resolve: (link: PodLink) => void;
  reject: (error: Error) => void;
}

/** Attaches a node's pods to the network. Pods that ask while a batch runs share the next one. */
export class PodNetwork {
  readonly #layout: LabLayout;
  readonly #subnets: LabSubnets;
  readonly #node: { name: string; index: number; netns: string };
  readonly #slots = new Map<string, number>();
  #nextSlot = 0;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(layout: LabLayout, subnets: LabSubnets, node: { name: string; index: number; netns: string }) {
    this.#layout = layout;
    this.#subnets = subnets;
    this.#node = node;
  }

  attach(podUid: string): Promise<PodLink> {
    const address = this.#reserve(podUid);
    const link = { podUid, netns: podNetns(this.#layout, this.#node.name, podUid), address };
    return new Promise((resolve, reject) => {
      this.#waiting.push({ link, resolve, reject });
      if (!this.#running) {
        this.#running = true;
        setImmediate(() => this.#drain());
      }
    });
  }

  async detach(link: PodLink): Promise<void> {
    await detachPods(this.#node.netns, [link]);
    this.#slots.delete(link.podUid);
  }

  async #drain(): Promise<void> {
    const address = nodeAddress(this.#subnets, this.#node.index);
    const gateway = podGateway(this.#subnets, this.#node.index);
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await attachPods(
          this.#node.netns,
          address,
          gateway,
          batch.map(({ link }) => link),
        );
        for (const { link, resolve } of batch) resolve(link);
      } catch (error) {
        for (const { link, reject } of batch) {
          await this.detach(link).catch(() => {});
          reject(error as Error);
        }
      }
    }
    this.#running = false;
  }

  /** Addresses go round, so that one just given back is not at once another pod's. */
  #reserve(podUid: string): DualAddress {
    const taken = new Set(this.#slots.values());
    if (taken.size >= MAX_PODS_PER_NODE) throw new Error(`${this.#node.name} has no pod address left`);
    while (taken.has(this.#nextSlot)) this.#nextSlot = (this.#nextSlot + 1) % MAX_PODS_PER_NODE;
    const slot = this.#nextSlot;
    this.#nextSlot = (slot + 1) % MAX_PODS_PER_NODE;
    this.#slots.set(podUid, slot);
    return podAddress(this.#subnets, this.#node.index, slot);
  }
}

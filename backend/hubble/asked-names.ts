import { isOutside } from '#core/card/card-name.ts';
import { KnownNames, readableName } from '#core/dns/known-names.ts';
import { type Endpoint, type Flow, L7FlowType } from '#proto/gen/flow/flow_pb.ts';

/** How often names that hold no longer are looked for, in milliseconds. */
const EXPIRE_EVERY_MS = 10_000;
/** What Hubble says of an answer without a time to live. */
const NO_TTL = 0xffff_ffff;

/**
 * What pods call addresses outside the cluster, learnt from the DNS answers that another Hubble tells of. It says names with its flows where
 * its own proxy has seen the query; where it does not, those that the pods of the same namespace asked for are put in.
 */
export class AskedNames {
  readonly #names: KnownNames;
  #expiredMs = 0;

  constructor(names = new KnownNames()) {
    this.#names = names;
  }

  /** The flow, with names for its ends that have none; itself where nobody knows any. */
  named(flow: Flow, nowMs = performance.now()): Flow {
    if (nowMs - this.#expiredMs >= EXPIRE_EVERY_MS) {
      this.#expiredMs = nowMs;
      this.#names.expire(nowMs);
    }
    if (flow.l7?.record.case === 'dns') this.#learn(flow, nowMs);
    if (this.#names.size === 0 || flow.IP === undefined) return flow;
    const { source, destination, sourceNames, destinationNames, IP: address } = flow;
    const ofDestination = this.#namesOf(destination, destinationNames, source, address.destination, nowMs);
    const ofSource = this.#namesOf(source, sourceNames, destination, address.source, nowMs);
    if (ofDestination === destinationNames && ofSource === sourceNames) return flow;
    return { ...flow, sourceNames: ofSource, destinationNames: ofDestination };
  }

  #learn({ l7, destination }: Flow, nowMs: number): void {
    if (l7?.record.case !== 'dns' || l7.type === L7FlowType.REQUEST || l7.record.value.rcode !== 0) return;
    const { query, ips, ttl } = l7.record.value;
    const name = readableName(query);
    // An answer goes to who asked, and its names to nobody else.
    const scope = scopeOf(destination);
    if (name === undefined || scope === undefined) return;
    for (const ip of ips) this.#names.learn(scope, ip, name, ttl === NO_TTL ? 0 : ttl, nowMs);
  }

  #namesOf(end: Endpoint | undefined, told: string[], other: Endpoint | undefined, address: string, nowMs: number) {
    const scope = scopeOf(other);
    if (told.length > 0 || scope === undefined || end === undefined || !isOutside(end)) return told;
    const known = this.#names.get(scope, address);
    if (known === undefined) return told;
    known.usedMs = nowMs;
    return [...known.names];
  }
}

function scopeOf(endpoint: Endpoint | undefined): string | undefined {
  return endpoint === undefined || endpoint.namespace === ''
    ? undefined
    : `${endpoint.clusterName}/${endpoint.namespace}`;
}

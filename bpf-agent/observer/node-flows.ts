import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { lostEvent } from '#core/hubble/lost-event.ts';
import type { ObservedFlows, ToldLoss } from '#runtime/hubble/observed-flows.ts';
import type { FlowLog } from './flow-log.ts';

/** The node's flows, as Hubble's observer serves them. */
export function nodeFlows(log: FlowLog): ObservedFlows {
  const nodeName = `${log.boot.cluster}/${log.boot.node}`;
  return {
    window: log.window,
    nodeName,
    // Records of several processors come in the order of the ring, which is nearly that of their times.
    disorderMs: 100,
    news: (signal, atMostMs) => log.news(signal, atMostMs),
    lossReader: () => {
      let next = log.losses.end;
      return () => {
        if (next === log.losses.end) return [];
        const entries = log.losses.from(next);
        next = log.losses.end;
        return entries.map(
          ({ source, count, firstMs, lastMs }): ToldLoss => ({
            nodeName,
            event: lostEvent({
              source,
              count: BigInt(count),
              first: timestampFromMs(firstMs),
              last: timestampFromMs(lastMs),
            }),
          }),
        );
      };
    },
    seen: () => log.window.end,
    flowsPerSecond: () => log.rate.perSecond(),
  };
}

import { NO_LAYER7_WHY } from '#core/flow/no-layer7.ts';
import { formatMicros, formatRate, formatShare } from '../../format/quantity.ts';
import { answeredShare, type Summary } from '../../graph/summary.ts';
import { statusStore } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import { Figures } from './panel-parts.tsx';

/** How requests fare, where a proxy tells of them; where nobody tells of any, that and why. */
export function RequestFigures({ total }: { total: Summary }) {
  const status = useStore(statusStore);
  const isTold = total.requests > 0 || total.answers > 0;
  if (!isTold && status?.tellsRequests !== false) return null;
  if (!isTold) {
    return (
      <p className="text-2xs text-faint" title={`Of layer 7, ${NO_LAYER7_WHY}.`}>
        Requests: – (no layer 7 is told here)
      </p>
    );
  }
  const share = answeredShare(total);
  return (
    <Figures
      figures={[
        { name: 'Requests', value: formatRate(total.requests), title: 'HTTP, DNS and Kafka, as proxies tell them' },
        {
          name: 'Answered',
          value: share < 0 ? '–' : formatShare(share),
          alarm: total.failures > 0,
          title: `${total.failures} failures of ${total.answers} answers in 10 s: HTTP 5xx, DNS and Kafka errors`,
        },
        { name: 'p50', value: formatMicros(total.p50Micros), title: 'Half of the answers took at most that long' },
        {
          name: 'p99',
          value: formatMicros(total.p99Micros),
          title: '99 % of the answers took at most that long, on the slowest port',
        },
      ]}
    />
  );
}

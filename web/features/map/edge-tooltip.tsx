import { dropReasonText } from '#core/flow/drop-reason.ts';
import { formatByteRate, formatCount, formatMicros, formatRate, formatShare } from '../../format/quantity.ts';
import type { EdgeLive } from '../../graph/live.ts';
import { VERDICT_WORDS } from '../../graph/model.ts';
import type { SceneEdge } from '../../graph/scene.ts';

const WIDTH = 220;
/** About as high as it gets. */
const HEIGHT = 190;

/** What goes over the arrow under the pointer. */
export function EdgeTooltip({
  edge,
  live,
  at,
  frame,
}: {
  edge: SceneEdge;
  live: EdgeLive | undefined;
  at: { x: number; y: number };
  frame: HTMLElement | null;
}) {
  const width = frame?.clientWidth ?? 800;
  // Where bytes are told there are some, one way at least.
  const untold = live === undefined || live.bytes + live.replyBytes > 0 ? 0 : live.rate;
  const low = at.y > (frame?.clientHeight ?? 800) - HEIGHT;
  return (
    <div
      aria-hidden
      className="pointer-events-none absolute z-20 rounded-lg border border-line bg-card px-3 py-2 text-xs shadow-[var(--shadow)]"
      style={{
        width: WIDTH,
        left: Math.max(4, Math.min(at.x + 14, width - WIDTH - 4)),
        ...(low ? { bottom: (frame?.clientHeight ?? 0) - at.y + 10 } : { top: at.y + 14 }),
      }}
    >
      <p className="truncate font-semibold">
        {edge.sourceTitle} → {edge.destinationTitle}
      </p>
      <p className="text-dim">
        {edge.words}, {VERDICT_WORDS[live?.verdict ?? 'quiet']}
      </p>
      {live !== undefined && (
        <dl className="mt-1 grid grid-cols-[auto_1fr] gap-x-3 text-dim [&_dd]:text-right [&_dd]:font-mono [&_dd]:text-text">
          <dt>flows</dt>
          <dd>{formatRate(live.rate)}</dd>
          <dt>connections</dt>
          <dd>{formatRate(live.connections)}</dd>
          <dt>bytes there</dt>
          <dd>{formatByteRate(live.bytes, untold)}</dd>
          <dt>bytes back</dt>
          <dd>{formatByteRate(live.replyBytes, untold)}</dd>
          <dt>TCP RTT</dt>
          <dd>{formatMicros(live.rttMicros)}</dd>
          {live.requests > 0 && (
            <>
              <dt>requests</dt>
              <dd>{formatRate(live.requests)}</dd>
              <dt>answered, p99</dt>
              <dd>
                {live.answeredShare < 0 ? '–' : formatShare(live.answeredShare)}, {formatMicros(live.p99Micros)}
              </dd>
            </>
          )}
        </dl>
      )}
      {live !== undefined && live.dropsPerMinute > 0 && (
        <p className="mt-1 text-dropped-text">
          dropped {formatCount(live.dropsPerMinute)}/min
          {live.dropReason > 0 && `: ${dropReasonText(live.dropReason).toLowerCase()}`}
        </p>
      )}
    </div>
  );
}

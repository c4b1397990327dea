import { formatCount } from '../../format/quantity.ts';
import { sceneStore } from '../../live/map-client.ts';
import { usePolicies } from '../../live/policy-store.ts';
import { useStore } from '../../live/store.ts';
import { useView } from '../../view/view-store.ts';
import { VERDICT_DASH } from './arrow-look.ts';

/** What line and colour say, and what the map does not draw. */
export function Legend() {
  const { map } = useView();
  return (
    <div className="pointer-events-none absolute bottom-3 left-3 flex flex-col items-start gap-1 text-2xs text-dim *:rounded-md *:bg-canvas/85 *:px-1 *:py-0.5">
      <Undrawn />
      <div aria-hidden className="flex items-center gap-4 max-md:hidden">
        <Line name="forwarded" className="stroke-forwarded" />
        <Line name="dropped" className="stroke-dropped" dash={VERDICT_DASH.dropped} />
        <Line name="both" className="stroke-forwarded" dash={VERDICT_DASH.mixed} then="stroke-dropped" />
        <Line name="audit" className="stroke-audit" dash={VERDICT_DASH.audit} />
        {map.reach && (
          <>
            <Line name="allowed, never seen" className="stroke-forwarded" dash={VERDICT_DASH.permitted} />
            <Line name="no policy decides" className="stroke-faint" />
            <MoreReaches />
          </>
        )}
        <span className="text-faint">width = {map.width === 'bytes' ? 'bytes/s' : 'rate'}</span>
      </div>
    </div>
  );
}

/** Of rules about very many pairs not all are drawn. */
function MoreReaches() {
  const { report } = usePolicies();
  if (report === null || !report.moreReaches) return null;
  return <span className="text-accent-text">more is allowed than is drawn</span>;
}

/** What was merged or left out to keep the map readable is said: in a frame here, else in the status line. */
function Undrawn() {
  const scene = useStore(sceneStore)?.scene;
  const { embed } = useView();
  if (scene === undefined || embed === null) return null;
  const { mergedEdges, hiddenEdges, omittedCards, omittedEdges } = scene;
  const parts = [
    mergedEdges > 0 && `${formatCount(mergedEdges)} arrows merged with others between the same cards`,
    hiddenEdges > 0 && `${formatCount(hiddenEdges)} least used arrows not drawn`,
    omittedCards > 0 && `${formatCount(omittedCards)} cards beyond the server's limit`,
    omittedEdges > 0 && `${formatCount(omittedEdges)} arrows beyond the server's limit`,
  ].filter((part) => part !== false);
  if (parts.length === 0) return null;
  return <p role="note">{parts.join(' · ')}</p>;
}

function Line(props: { name: string; className: string; dash?: readonly number[]; then?: string }) {
  const dash = props.dash?.join(' ');
  return (
    <span className="flex items-center gap-1.5">
      <svg aria-hidden width="25" height="8" className="fill-none" strokeWidth="2">
        <path d="M0 4h25" className={props.className} strokeDasharray={dash} />
        {props.then !== undefined && (
          <path d="M14 4h11" className={props.then} strokeDasharray={dash} strokeDashoffset="14" />
        )}
      </svg>
      {props.name}
    </span>
  );
}

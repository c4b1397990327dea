import { formatByteRate, formatMicros, formatRate, formatShare } from '../../format/quantity.ts';
import type { DoorLive, EdgeLive } from '../../graph/live.ts';
import { type ArrowVerdict, VERDICT_WORDS } from '../../graph/model.ts';
import type { SceneCard, SceneEdge } from '../../graph/scene.ts';
import { classNames } from '../../ui/class-names.ts';
import { pairKey } from '../../view/pair.ts';
import { dropWords } from '../map/card-label.ts';
import { chooseCard } from '../map/choose-card.ts';
import { passedShare, waitingTime } from '../map/door-figures.ts';
import { CardGlyph } from './card-glyph.tsx';
import { FoldedEntry } from './folded-entry.tsx';

const TONES: Record<ArrowVerdict, string> = {
  forwarded: 'text-forwarded-text',
  dropped: 'text-dropped-text',
  mixed: 'text-dropped-text',
  audit: 'text-audit-text',
  quiet: 'text-faint',
  permitted: 'text-forwarded-text',
  open: 'text-dim',
};

/** One card: what it is, its ports, whom it reaches and who reaches it. */
export function CardEntry(props: {
  card: SceneCard;
  rate: number;
  doors: readonly DoorLive[];
  selected: boolean;
  /** Key of a selected arrow. */
  selectedPair: string | null;
  /** False when something else is looked for. */
  found: boolean;
  outgoing: readonly SceneEdge[];
  incoming: readonly SceneEdge[];
  live: ReadonlyMap<string, EdgeLive>;
}) {
  const { card, doors, selected, outgoing, incoming } = props;
  if (card.folded) return <FoldedEntry card={card} rate={formatRate(props.rate)} />;
  const arrows = [
    ...outgoing.map((edge) => ({ edge, word: 'to', other: edge.destinationTitle })),
    ...incoming
      .filter(({ source }) => source !== card.key)
      .map((edge) => ({ edge, word: 'from', other: edge.sourceTitle })),
  ];
  return (
    <li
      data-card={card.key}
      className={classNames(
        'border-b border-line px-4 py-2 [contain-intrinsic-size:auto_80px] [content-visibility:auto]',
        selected && 'bg-selected',
        !props.found && 'opacity-70',
      )}
    >
      <h3>
        <button
          type="button"
          aria-pressed={selected}
          onClick={() => chooseCard(card.key)}
          className="flex w-full items-center gap-2 text-left text-sm"
        >
          <CardGlyph icon={card.icon} />
          <span className="max-w-[60%] shrink-0 truncate font-semibold" title={card.title}>
            {card.title}
          </span>
          <span className="min-w-0 flex-1 truncate text-xs text-dim">
            {[card.namespace, card.sentence].filter((part) => part !== '').join(' · ')}
          </span>
          <span className="numbers text-xs text-dim">{formatRate(props.rate)}</span>
        </button>
      </h3>
      {card.doors.length > 0 && (
        <p className="flex flex-wrap gap-x-4 pl-6 text-xs text-dim">
          {card.doors.map(({ port, protocol }, index) => (
            <span key={`${port} ${protocol}`}>
              port <span className="numbers text-text">{port}</span> {protocol}
              <Health live={doors[index]} />
            </span>
          ))}
        </p>
      )}
      {arrows.length > 0 && (
        <ul aria-label={`Traffic of ${card.title}`} className="mt-0.5">
          {arrows.map(({ edge, word, other }) => (
            <li key={`${word} ${edge.key}`}>
              <Arrow
                edge={edge}
                word={word}
                other={other}
                live={props.live.get(edge.key)}
                selected={props.selectedPair}
              />
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function Health({ live }: { live: DoorLive | undefined }) {
  if (live === undefined || live.verdict === 'quiet') return null;
  const passed = passedShare(live);
  return (
    <>
      <span className={classNames('numbers ml-1.5', passed < 1 && 'text-dropped-text')}>{formatShare(passed)}</span>
      <span className="numbers ml-1.5 text-faint">{waitingTime(live)}</span>
    </>
  );
}

function Arrow(props: {
  edge: SceneEdge;
  word: string;
  other: string;
  live: EdgeLive | undefined;
  selected: string | null;
}) {
  const { edge, live } = props;
  const verdict = live?.verdict ?? 'quiet';
  const key = pairKey(edge);
  const reason = dropWords(live);
  return (
    <button
      type="button"
      aria-pressed={props.selected === key}
      onClick={() => chooseCard(key)}
      className={classNames(
        'flex w-full items-baseline gap-3 rounded-sm pl-6 text-left text-xs text-dim hover:bg-hover',
        props.selected === key && 'bg-selected',
      )}
    >
      <span className="flex min-w-0 flex-1 gap-1 whitespace-nowrap">
        {props.word} <span className="truncate text-text">{props.other}</span> <span>{edge.words}</span>
      </span>
      <span className="w-24 truncate sm:w-52">
        <span className={TONES[verdict]}>{VERDICT_WORDS[verdict]}</span>
        {reason !== '' && <span className="max-sm:sr-only"> · {reason}</span>}
      </span>
      <span className="numbers w-16 text-right">{formatRate(live?.rate ?? 0)}</span>
      <span className="numbers w-20 text-right max-sm:hidden">
        {formatByteRate((live?.bytes ?? 0) + (live?.replyBytes ?? 0), live?.rate ?? 0)}
      </span>
      <span className="numbers w-16 text-right text-faint max-sm:hidden">{formatMicros(live?.rttMicros ?? 0)}</span>
    </button>
  );
}

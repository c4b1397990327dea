import { formatMicros, formatRate } from '../../format/quantity.ts';
import { VERDICT_WORDS } from '../../graph/model.ts';
import type { SceneCard, SceneEdge } from '../../graph/scene.ts';
import { liveStore, sceneStore } from '../../live/map-client.ts';
import { useStore } from '../../live/store.ts';
import { classNames } from '../../ui/class-names.ts';
import { useView } from '../../view/view-store.ts';
import { chooseCard } from '../map/choose-card.ts';
import { CardGlyph } from './card-glyph.tsx';

/** The map as text: every card with the arrows that leave it. */
export function CardList() {
  const state = useStore(sceneStore);
  const { select } = useView();
  // Numbers change in place: this says that they did.
  useStore(liveStore);
  const outgoing = new Map<string, SceneEdge[]>();
  for (const edge of state?.scene.edges ?? []) outgoing.set(edge.source, [...(outgoing.get(edge.source) ?? []), edge]);
  const cards = (state?.scene.cards ?? []).toSorted((a, b) =>
    a.namespace < b.namespace ? -1 : a.namespace > b.namespace ? 1 : a.title < b.title ? -1 : 1,
  );
  return (
    <section aria-label="Workloads" className="h-full overflow-y-auto bg-background">
      {cards.length === 0 && <p className="p-4 text-sm text-dim">No workload has been seen in this view yet.</p>}
      <ul>
        {cards.map((card) => (
          <li
            key={card.key}
            className={classNames('border-b border-line px-4 py-2', card.key === select && 'bg-selected')}
          >
            <CardLine card={card} rate={state?.cards.get(card.key)?.rate ?? 0} selected={card.key === select} />
            <ul>
              {(outgoing.get(card.key) ?? []).map((edge) => {
                const live = state?.edges.get(edge.key);
                const verdict = live?.verdict ?? 'quiet';
                return (
                  <li key={edge.key} className="flex items-baseline gap-3 pl-6 text-xs text-dim">
                    <span className="min-w-0 flex-1 truncate">
                      → <span className="text-text">{edge.destinationTitle}</span> {edge.words}
                    </span>
                    <span
                      className={classNames(
                        'w-28',
                        verdict === 'forwarded'
                          ? 'text-forwarded-text'
                          : verdict === 'dropped' || verdict === 'mixed'
                            ? 'text-dropped-text'
                            : verdict === 'audit'
                              ? 'text-audit-text'
                              : 'text-faint',
                      )}
                    >
                      {VERDICT_WORDS[verdict]}
                    </span>
                    <span className="numbers w-16 text-right">{formatRate(live?.rate ?? 0)}</span>
                    <span className="numbers w-16 text-right text-faint">{formatMicros(live?.rttMicros ?? 0)}</span>
                  </li>
                );
              })}
            </ul>
          </li>
        ))}
      </ul>
    </section>
  );
}

function CardLine({ card, rate, selected }: { card: SceneCard; rate: number; selected: boolean }) {
  return (
    <button
      type="button"
      aria-pressed={selected}
      onClick={() => chooseCard(card.key)}
      className="flex w-full items-center gap-2 text-left text-sm"
    >
      <CardGlyph icon={card.icon} />
      <span className="font-semibold">{card.title}</span>
      <span className="text-faint">{card.namespace}</span>
      <span className="min-w-0 flex-1 truncate text-xs text-dim">{card.sentence}</span>
      <span className="numbers text-xs text-dim">{formatRate(rate)}</span>
    </button>
  );
}

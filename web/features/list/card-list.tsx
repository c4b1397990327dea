import { ChevronDown } from 'lucide-react';
import { type RefObject, useMemo, useRef } from 'react';
import type { Scene, SceneCard, SceneEdge, ScenePlate } from '../../graph/scene.ts';
import { foldPlate } from '../../live/arrangement.ts';
import { liveStore, sceneStore } from '../../live/map-client.ts';
import { useStore } from '../../live/store.ts';
import { classNames } from '../../ui/class-names.ts';
import { useThrottled } from '../../ui/use-throttled.ts';
import { useView } from '../../view/view-store.ts';
import { EmptyMap } from '../map/empty-map.tsx';
import { MapToolbar } from '../map/map-toolbar.tsx';
import { type PlateFigures, plateFigures } from '../map/plate-figures.ts';
import { CardEntry } from './card-entry.tsx';

/** Numbers follow at most this often: who reads, or hears, a list has no use for more. */
const INTERVAL_MS = 1_000;

/** The map as text: every plate, its cards with their ports, and the arrows that leave and reach them. */
export function CardList() {
  const state = useStore(sceneStore);
  const { select } = useView();
  const frame = useRef<HTMLDivElement>(null);
  // Numbers change in place: this says that they did.
  useThrottled(liveStore, INTERVAL_MS);
  const sections = useMemo(() => state && sectionsOf(state.scene), [state]);
  const figures = state && plateFigures(state.scene.cards, state.cards);
  const arrows = useMemo(() => state && arrowsOf(state.scene), [state]);
  return (
    <section aria-label="Workloads" className="relative flex h-full flex-col bg-background">
      <MapToolbar inFlow onReveal={(key) => reveal(frame, key)} />
      <div ref={frame} className="relative min-h-0 flex-1 overflow-y-auto [&>section]:max-w-6xl">
        {(state === null || state.scene.cards.length === 0) && <EmptyMap />}
        {sections?.map(({ id, plate, cards }) => (
          <section key={id} aria-label={plate?.title ?? 'Outside of any group'}>
            {plate !== undefined && <PlateHeading plate={plate} figures={figures!.get(plate.id)} />}
            <ul>
              {cards.map((card) => (
                <CardEntry
                  key={card.key}
                  card={card}
                  rate={state!.cards.get(card.key)?.rate ?? 0}
                  doors={state!.cards.get(card.key)?.doors ?? []}
                  selected={card.key === select}
                  selectedPair={select}
                  found={state!.scene.found === undefined || state!.scene.found.cards.includes(card.key)}
                  outgoing={arrows!.outgoing.get(card.key) ?? []}
                  incoming={arrows!.incoming.get(card.key) ?? []}
                  live={state!.edges}
                />
              ))}
            </ul>
          </section>
        ))}
      </div>
    </section>
  );
}

function PlateHeading({ plate, figures }: { plate: ScenePlate; figures: PlateFigures | undefined }) {
  return (
    <h2 className="sticky top-0 z-10 border-b border-line bg-background">
      <button
        type="button"
        aria-expanded={true}
        title="Fold up"
        onClick={() => foldPlate(plate.id, true)}
        className="flex w-full items-center gap-2 px-4 py-1.5 text-left text-xs hover:bg-hover focus-visible:-outline-offset-2"
      >
        <ChevronDown aria-hidden size={13} className="text-dim" />
        <span className="min-w-0 truncate font-semibold text-dim">{plate.title}</span>
        <span className="shrink-0 text-faint">
          {plate.kind}, {plate.facts}
        </span>
        {/* What stands alone says it itself. */}
        {figures !== undefined && plate.workloads > 1 && (
          <span className="numbers ml-auto flex shrink-0 gap-2 text-dim max-sm:hidden">
            <span>{figures.rate}</span>
            <span className={classNames(figures.isHurt && 'text-dropped-text')}>{figures.share}</span>
            <span className="text-faint">{figures.time}</span>
          </span>
        )}
      </button>
    </h2>
  );
}

interface Section {
  readonly id: string;
  readonly plate: ScenePlate | undefined;
  readonly cards: readonly SceneCard[];
}

/** Plates by title, with their cards by name; before them what stands on none. */
function sectionsOf({ plates, cards }: Scene): Section[] {
  const byTitle = (a: { readonly title: string }, b: { readonly title: string }) =>
    a.title < b.title ? -1 : a.title > b.title ? 1 : 0;
  const onPlate = Map.groupBy(cards.toSorted(byTitle), ({ plate }) => plate);
  const loose = onPlate.get('') ?? [];
  return [
    ...(loose.length > 0 ? [{ id: '', plate: undefined, cards: loose }] : []),
    ...plates.toSorted(byTitle).map((plate) => ({ id: plate.id, plate, cards: onPlate.get(plate.id) ?? [] })),
  ];
}

function arrowsOf({ edges }: Scene): Record<'outgoing' | 'incoming', ReadonlyMap<string, readonly SceneEdge[]>> {
  return {
    outgoing: Map.groupBy(edges, ({ source }) => source),
    incoming: Map.groupBy(edges, ({ destination }) => destination),
  };
}

function reveal(frame: RefObject<HTMLElement | null>, key: string): void {
  const entry = frame.current?.querySelector<HTMLElement>(`[data-card=${CSS.escape(key)}]`);
  entry?.scrollIntoView({ block: 'center' });
}

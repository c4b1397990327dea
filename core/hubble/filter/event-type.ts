import { OBSERVATION } from '../../flow/observation.ts';
import { VERDICT } from '../../flow/verdict.ts';
import { EVENT_TYPE } from '../event-type.ts';
import type { FilterPart } from './filter-part.ts';

/** `event_type`: drops by their reason, traces by where they were seen (0 = to-endpoint). */
export const eventTypeFilter: FilterPart = ({ eventType }) => {
  if (eventType.length === 0) return [];
  const drops = eventType.filter(({ type }) => type === 0 || type === EVENT_TYPE.DROP);
  const traces = eventType.filter(({ type }) => type === 0 || type === EVENT_TYPE.TRACE);
  return [
    ({ verdict, dropReason, observation }, row) => {
      const dropped = verdict[row] === VERDICT.DROPPED;
      const seenAt = observation[row] === OBSERVATION.TO_ENDPOINT ? 0 : observation[row];
      const wanted = dropped ? drops : traces;
      const subType = dropped ? dropReason[row] : seenAt;
      for (const one of wanted) if (!one.matchSubType || one.subType === subType) return true;
      return false;
    },
  ];
};

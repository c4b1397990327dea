import { isLayer7 } from '../../flow/layer7.ts';
import { OBSERVATION } from '../../flow/observation.ts';
import { isTranslation, socketPoint } from '../../flow/translation.ts';
import { VERDICT } from '../../flow/verdict.ts';
import { EVENT_TYPE } from '../event-type.ts';
import { type FilterPart, ofTold } from './filter-part.ts';

/** `event_type`: drops by their reason, traces by where they were seen (0 = to-endpoint), translations by their point; requests have no sub-type. */
export const eventTypeFilter: FilterPart = ({ eventType }, tables) => {
  if (eventType.length === 0) return [];
  if (tables.told !== undefined) {
    return [
      ofTold(tables, ({ eventType: told }) =>
        eventType.some(
          ({ type, matchSubType, subType }) =>
            (type === 0 || type === told?.type) && (!matchSubType || subType === told?.subType),
        ),
      ),
    ];
  }
  const drops = eventType.filter(({ type }) => type === 0 || type === EVENT_TYPE.DROP);
  const traces = eventType.filter(({ type }) => type === 0 || type === EVENT_TYPE.TRACE);
  const translations = eventType.filter(({ type }) => type === 0 || type === EVENT_TYPE.TRACE_SOCK);
  const requests = eventType.filter(({ type }) => type === 0 || type === EVENT_TYPE.L7);
  return [
    ({ verdict, dropReason, observation }, row) => {
      const request = isLayer7(observation[row]);
      const dropped = !request && verdict[row] === VERDICT.DROPPED;
      const seenAt = observation[row] === OBSERVATION.TO_ENDPOINT ? 0 : observation[row];
      const atSocket = isTranslation(observation[row]);
      const wanted = request ? requests : dropped ? drops : atSocket ? translations : traces;
      const subType = request ? 0 : dropped ? dropReason[row] : atSocket ? socketPoint(seenAt) : seenAt;
      for (const one of wanted) if (!one.matchSubType || one.subType === subType) return true;
      return false;
    },
  ];
};

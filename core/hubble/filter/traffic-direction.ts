import { type FilterPart, isOneOf } from './filter-part.ts';

/** `traffic_direction`. */
export const trafficDirectionFilter: FilterPart = ({ trafficDirection }) =>
  trafficDirection.length === 0 ? [] : [isOneOf('direction', trafficDirection)];

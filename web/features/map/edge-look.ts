import type { StylesheetJson } from 'cytoscape';
import { QUIET_ALPHA } from '../../graph/quiet.ts';
import type { Palette } from './palette.ts';
import { VERDICT_DASH } from './verdict-dash.ts';

/**
 * How Cytoscape draws arrows. Cards are its nodes, invisible: it only needs to know where they are. On a dense map the usual
 * arrows step back, so that bundles show by their weight and drops stand out.
 */
export function mapStyle(palette: Palette, dense: boolean): StylesheetJson {
  const standsOut = { 'line-opacity': 0.9, 'z-index': 5 };
  return [
    {
      selector: 'node',
      style: {
        shape: 'rectangle',
        width: 'data(width)',
        height: 'data(height)',
        'background-opacity': 0,
        'border-width': 0,
        'overlay-opacity': 0,
        label: '',
      },
    },
    {
      selector: 'edge',
      style: {
        'curve-style': 'unbundled-bezier',
        'edge-distances': 'endpoints' as never,
        'control-point-weights': 'data(weights)' as never,
        'control-point-distances': 'data(distances)' as never,
        'source-endpoint': 'data(from)' as never,
        'target-endpoint': 'data(to)' as never,
        width: 'data(width)',
        'line-color': palette.forwarded,
        'line-opacity': dense ? 0.4 : 0.85,
        'line-cap': 'round',
        'target-arrow-shape': 'triangle',
        'target-arrow-color': palette.forwarded,
        'arrow-scale': 0.75,
        'overlay-opacity': 0,
      },
    },
    {
      selector: 'edge[verdict = "dropped"]',
      style: {
        'line-color': palette.dropped,
        'target-arrow-color': palette.dropped,
        'line-style': 'dashed',
        'line-dash-pattern': VERDICT_DASH.dropped,
        ...standsOut,
      },
    },
    {
      selector: 'edge[verdict = "mixed"]',
      style: {
        'line-fill': 'linear-gradient',
        'line-gradient-stop-colors': [palette.forwarded, palette.forwarded, palette.dropped, palette.dropped] as never,
        'line-gradient-stop-positions': [0, 45, 70, 100] as never,
        'line-style': 'dashed',
        'line-dash-pattern': VERDICT_DASH.mixed,
        'target-arrow-color': palette.dropped,
        ...standsOut,
      },
    },
    {
      selector: 'edge[verdict = "audit"]',
      style: {
        'line-color': palette.audit,
        'target-arrow-color': palette.audit,
        'line-style': 'dashed',
        'line-dash-pattern': VERDICT_DASH.audit,
        ...standsOut,
      },
    },
    {
      selector: 'edge[verdict = "quiet"]',
      style: { 'line-color': palette.faint, 'target-arrow-color': palette.faint, 'line-opacity': 0.45 },
    },
    ...QUIET_ALPHA.slice(1).map((alpha, index) => ({
      selector: `edge[quiet = ${index + 1}]`,
      style: { 'line-opacity': 0.45 * alpha },
    })),
    { selector: 'edge.aside', style: { 'line-opacity': 0.16, 'arrow-scale': 0.6, 'z-index': 0 } },
    { selector: 'edge.near', style: { 'line-opacity': 1, 'z-index': 10 } },
    {
      selector: 'edge.chosen',
      style: {
        'line-opacity': 1,
        'z-index': 11,
        'underlay-color': palette.accent,
        'underlay-opacity': 0.28,
        'underlay-padding': 5,
      },
    },
  ];
}

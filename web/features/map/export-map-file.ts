import { viewStore } from '../../view/view-store.ts';
import type { MapCanvas } from './map-canvas.ts';

/** Hands the map to the person as a file, named after what it shows and when. The painting is loaded when first wanted. */
export async function exportMap(shown: MapCanvas['shown'], format: 'png' | 'svg'): Promise<void> {
  if (shown === null) return;
  const { namespaces } = viewStore.get().view;
  const { download, mapPng, mapSvg } = await import('./export-map.ts');
  const now = new Date().toISOString();
  const what = namespaces.length === 0 ? 'all' : namespaces.slice(0, 3).join('+');
  const title = `Service map of ${namespaces.length === 0 ? 'all namespaces' : namespaces.join(', ')}, ${now}`;
  const name = `waggle-${what}-${now.slice(0, 19).replaceAll(':', '-')}.${format}`;
  download(format === 'png' ? await mapPng(shown) : mapSvg(shown, title), name);
}

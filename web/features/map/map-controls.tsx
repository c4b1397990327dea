import { Maximize, Minus, Plus, WandSparkles } from 'lucide-react';
import { tidyMap } from '../../live/map-client.ts';
import { IconButton } from '../../ui/button.tsx';
import type { MapCanvas } from './map-canvas.ts';

export function MapControls({ canvas }: { canvas: () => MapCanvas | null }) {
  return (
    <div role="toolbar" aria-label="Map" className="absolute right-4 bottom-3 z-10 flex gap-1">
      <IconButton label="Zoom out" onClick={() => canvas()?.zoomBy(1 / 1.25)}>
        <Minus aria-hidden size={15} />
      </IconButton>
      <IconButton label="Zoom in" onClick={() => canvas()?.zoomBy(1.25)}>
        <Plus aria-hidden size={15} />
      </IconButton>
      <IconButton label="Fit the whole map" onClick={() => canvas()?.fit()}>
        <Maximize aria-hidden size={14} />
      </IconButton>
      <IconButton
        label="Tidy: lay the map out anew, let go of pins"
        onClick={() => {
          canvas()?.forgetViewport();
          tidyMap();
        }}
      >
        <WandSparkles aria-hidden size={14} />
      </IconButton>
    </div>
  );
}

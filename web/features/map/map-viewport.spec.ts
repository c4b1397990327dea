import { describe, expect, it } from 'vitest';
import { MapViewport } from './map-viewport.ts';

function viewportOf(width: number, height: number) {
  const viewport = new MapViewport();
  viewport.resize(width, height);
  let moves = 0;
  viewport.follow(() => {
    moves++;
  });
  return { viewport, moves: () => moves };
}

describe('where the map is looked at from', () => {
  it('keeps what lies in the middle of the frame there, as it is zoomed', () => {
    const { viewport } = viewportOf(800, 600);
    viewport.centre({ x: 120, y: -40 }, 0.5);
    viewport.zoomBy(1.25);
    const { zoom, pan } = viewport.camera;
    expect(zoom).toBeCloseTo(0.625);
    expect([(400 - pan.x) / zoom, (300 - pan.y) / zoom]).toEqual([expect.closeTo(120), expect.closeTo(-40)]);
  });

  it('goes no nearer and no farther than can be drawn, and moves nothing then', () => {
    const { viewport, moves } = viewportOf(800, 600);
    viewport.show({ zoom: 99, pan: { x: 5, y: 5 } });
    expect(viewport.camera).toMatchObject({ zoom: MapViewport.zooms.most, pan: { x: 5, y: 5 } });
    viewport.zoomBy(2);
    expect(viewport.camera).toMatchObject({ zoom: MapViewport.zooms.most, pan: { x: 5, y: 5 } });
    expect(moves()).toBe(1);
  });

  it('tells whoever follows only of what is another place', () => {
    const { viewport, moves } = viewportOf(800, 600);
    viewport.panBy(10, 0);
    viewport.show(viewport.camera);
    expect(moves()).toBe(1);
    expect(viewport.resize(800, 600)).toBe(false);
    expect(viewport.resize(700, 600)).toBe(true);
    expect(viewport.camera).toMatchObject({ width: 700, zoom: 1, pan: { x: 10, y: 0 } });
  });
});

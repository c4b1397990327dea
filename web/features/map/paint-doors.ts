import { formatShare } from '../../format/quantity.ts';
import { CARD_HEAD } from '../../graph/geometry.ts';
import type { DoorLive } from '../../graph/live.ts';
import type { SceneDoor } from '../../graph/scene.ts';
import { type CardType, MONO, MONO_WIDTH, PROTOCOL } from './card-type.ts';
import { passedShare, waitingTime } from './door-figures.ts';
import { type Palette, verdictColor } from './palette.ts';
import type { Surface } from './surface.ts';

/** Between what a card is and its doors. */
export function doorsLine(context: Surface, width: number, hairline: number, palette: Palette): void {
  context.beginPath();
  context.moveTo(0, CARD_HEAD);
  context.lineTo(width, CARD_HEAD);
  context.lineWidth = hairline;
  context.strokeStyle = palette.line;
  context.stroke();
}

/** A door's port and protocol. Returns where they end. */
export function paintPort(context: Surface, door: SceneDoor, left: number, size: number, palette: Palette): number {
  context.textAlign = 'left';
  context.font = `500 ${size}px ${MONO}`;
  context.fillStyle = palette.text;
  context.fillText(door.port, left, door.y);
  const protocolX = left + (door.port.length * MONO_WIDTH + 0.5) * size;
  context.font = `400 ${size * PROTOCOL}px ${MONO}`;
  context.fillStyle = palette.faint;
  context.fillText(door.protocol, protocolX, door.y);
  return protocolX + door.protocol.length * MONO_WIDTH * PROTOCOL * size;
}

/**
 * Success and p99, or round trip, at the right end of a door's line, as far as there is room right of `after`. Health appears only where
 * something was asked.
 */
export function paintFigures(
  context: Surface,
  live: DoorLive,
  right: number,
  after: number,
  y: number,
  type: CardType,
  palette: Palette,
): void {
  const size = type.figure;
  const passed = passedShare(live);
  const share = live.verdict === 'quiet' ? '–' : formatShare(passed);
  const time = waitingTime(live);
  const widthOf = (text: string) => text.length * MONO_WIDTH * size;
  const gap = 0.6 * size;
  context.textAlign = 'right';
  context.font = `400 ${size}px ${MONO}`;
  let x = right;
  if (type.times && time !== '' && after + gap + widthOf(share) + gap + widthOf(time) <= right + 2) {
    context.fillStyle = palette.faint;
    context.fillText(time, x, y);
    x -= widthOf(time) + gap;
  }
  if (after + gap / 2 + widthOf(share) > x) return;
  const isHurt = live.verdict !== 'quiet' && passed < 1;
  context.fillStyle = isHurt ? palette['dropped-text'] : live.verdict === 'quiet' ? palette.faint : palette.dim;
  context.fillText(share, x, y);
}

/** A door: the ring on the card's left edge where arrows end. */
export function paintRing(context: Surface, y: number, live: DoorLive | undefined, palette: Palette): void {
  context.beginPath();
  context.arc(0, y, 4, 0, 2 * Math.PI);
  context.fillStyle = palette.canvas;
  context.fill();
  context.lineWidth = 1.75;
  context.strokeStyle = verdictColor(palette, live?.verdict ?? 'quiet');
  context.stroke();
}

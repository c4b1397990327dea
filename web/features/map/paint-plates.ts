import { CARD_WIDTH, PLATE_TITLE } from '../../graph/geometry.ts';
import type { ScenePlate } from '../../graph/scene.ts';
import { MONO, MONO_WIDTH, SANS } from './card-type.ts';
import { fitText, inTwo, textWidth } from './fit-text.ts';
import type { Palette } from './palette.ts';
import type { PlateFigures } from './plate-figures.ts';
import type { Point } from './point.ts';
import type { Surface } from './surface.ts';

/** Pixels below which a name cannot be read. */
const LEAST_NAME = 7.5;
/** Distance between the dots of the ground, in map units. */
const DOTS = 24;

/** Draws a namespace's plate: a title and one line of facts; at its end what its workloads receive. */
export function paintPlate(
  context: Surface,
  plate: ScenePlate,
  state: { readonly hovered: boolean; readonly focused: boolean; readonly figures?: PlateFigures | undefined },
  palette: Palette,
  zoom: number,
  hairline: number,
): void {
  // Arrows painted before leave theirs.
  context.globalAlpha = 1;
  context.setLineDash([]);
  context.beginPath();
  context.roundRect(plate.x, plate.y, plate.width, plate.height, 10);
  context.fillStyle = palette.plate;
  context.fill();
  context.lineWidth = (state.focused ? 2 : 1) * hairline;
  context.strokeStyle = state.focused ? palette.accent : palette['plate-line'];
  context.stroke();
  // A title keeps a readable size for longer than what stands on the plate, as far as its strip has room.
  const most = Math.min(Math.max(12, 11 / zoom), PLATE_TITLE * 0.9);
  if (most * zoom < 6) return;
  const room = plate.width - 32;
  const y = plate.y + PLATE_TITLE / 2 + 4;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  context.font = `600 ${most}px ${SANS}`;
  // A long name is written smaller before it is cut.
  const size = Math.max(Math.min(most, (most * room) / textWidth(context, plate.title)), Math.min(most, 8 / zoom));
  context.font = `600 ${size}px ${SANS}`;
  context.fillStyle = state.hovered ? palette.text : palette.dim;
  const title = fitText(context, plate.title, room);
  context.fillText(title, plate.x + 16, y);
  const after = plate.x + 16 + textWidth(context, title) + 8;
  const facts = [...plate.facts.split(' · '), ...(state.hovered && plate.workloads > 1 ? ['click to fold'] : [])];
  const end = plate.x + plate.width - 16;
  context.font = `400 ${size}px ${SANS}`;
  const first = textWidth(context, facts[0]);
  // What stands alone says it itself.
  const told = plate.workloads > 1 ? state.figures : undefined;
  const left = told === undefined ? end : figures(context, told, end, after + first, y, size, palette);
  context.textAlign = 'left';
  context.font = `400 ${size}px ${SANS}`;
  context.fillStyle = palette.faint;
  // Half of a fact is none.
  while (facts.length > 0 && textWidth(context, facts.join(' · ')) > left - after) facts.pop();
  context.fillText(facts.join(' · '), after, y);
}

/** Rate, success and time as far as there is room right of `least`. Returns where they begin. */
function figures(
  context: Surface,
  { rate, share, isHurt, time }: PlateFigures,
  end: number,
  least: number,
  y: number,
  size: number,
  palette: Palette,
): number {
  const letter = size * 0.92 * MONO_WIDTH;
  const gap = 1.2 * letter;
  const words = [rate, share, time].filter((word) => word !== '');
  const widthOf = () => words.reduce((sum, word) => sum + word.length * letter + gap, 0);
  // Beyond the last column arrows change their height.
  const from = Math.max(least + 2 * gap, end - CARD_WIDTH);
  while (words.length > 0 && end - widthOf() < from) words.pop();
  let x = end - widthOf();
  const left = x;
  context.textAlign = 'left';
  context.font = `400 ${size * 0.92}px ${MONO}`;
  for (const word of words) {
    x += gap;
    context.fillStyle = word === share && isHurt ? palette['dropped-text'] : palette.faint;
    context.fillText(word, x, y);
    x += word.length * letter;
  }
  return left;
}

/** From far away a plate is told by its name across it: what stands on it cannot be read there. */
export function paintPlateName(context: Surface, plate: ScenePlate, palette: Palette, zoom: number): void {
  let size = Math.min(11.5 / zoom, plate.height / 2);
  const room = plate.width - size / 2;
  context.font = `600 ${size}px ${SANS}`;
  // A long name is written smaller before it is cut.
  const wanted = context.measureText(plate.title).width;
  if (wanted > room) size = Math.max((size * room) / wanted, LEAST_NAME / zoom);
  if (size * zoom < LEAST_NAME * 0.99) return;
  context.font = `600 ${size}px ${SANS}`;
  const lines = nameLines(context, plate, room, size);
  if (lines[0] === '') return;
  const width = Math.max(...lines.map((line) => context.measureText(line).width)) + size * 0.8;
  const height = size * (0.5 + 1.1 * lines.length);
  const [x, y] = [plate.x + plate.width / 2, plate.y + plate.height / 2];
  context.globalAlpha = 0.88;
  context.beginPath();
  context.roundRect(x - width / 2, y - height / 2, width, height, size / 3);
  context.fillStyle = palette.plate;
  context.fill();
  context.globalAlpha = 1;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillStyle = palette.text;
  lines.forEach((line, index) => {
    context.fillText(line, x, y + (index - (lines.length - 1) / 2) * 1.1 * size);
  });
}

/** Two lines rather than a part of the name, where the plate is high enough. */
function nameLines(context: Surface, plate: ScenePlate, room: number, size: number): readonly string[] {
  const one = fitText(context, plate.title, room);
  if (one === plate.title || plate.height < 2.7 * size) return [one];
  const two = inTwo(plate.title, false);
  return two[1] !== '' && two.every((line) => fitText(context, line, plate.width) === line) ? two : [one];
}

/** Faint dots, which make panning felt. Left out where they would melt into grey. */
export function paintGround(
  context: CanvasRenderingContext2D,
  camera: { readonly width: number; readonly height: number; readonly pan: Point; readonly zoom: number },
  margin: number,
  palette: Palette,
): void {
  const { width, height, pan, zoom } = camera;
  context.fillStyle = palette.canvas;
  context.fillRect(-margin, -margin, width + 2 * margin, height + 2 * margin);
  let step = DOTS * zoom;
  while (step < 16) step *= 2;
  const first = (origin: number) => -margin + ((((origin + margin) % step) + step) % step);
  context.fillStyle = palette.dot;
  for (let x = first(pan.x); x < width + margin; x += step) {
    for (let y = first(pan.y); y < height + margin; y += step) context.fillRect(x, y, 1.5, 1.5);
  }
}

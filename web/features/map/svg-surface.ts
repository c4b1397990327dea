import type { Surface } from './surface.ts';

interface State {
  x: number;
  y: number;
  scale: number;
  alpha: number;
  dash: readonly number[];
}

/**
 * Writes what is painted as SVG, so that an exported drawing is made by the very code that draws the screen. Takes the part of
 * a canvas that the map uses: no clipping, no gradients but by `strokeStyle` of one colour, uniform scaling only.
 */
export class SvgSurface implements Surface {
  globalAlpha = 1;
  fillStyle: string | CanvasGradient | CanvasPattern = '#000';
  strokeStyle: string | CanvasGradient | CanvasPattern = '#000';
  lineWidth = 1;
  lineDashOffset = 0;
  lineCap: CanvasLineCap = 'butt';
  lineJoin: CanvasLineJoin = 'miter';
  font = '10px sans-serif';
  textAlign: CanvasTextAlign = 'left';
  textBaseline: CanvasTextBaseline = 'alphabetic';
  readonly #parts: string[] = [];
  readonly #ruler: CanvasRenderingContext2D;
  readonly #saved: State[] = [];
  #x = 0;
  #y = 0;
  #scale = 1;
  #dash: readonly number[] = [];
  #path: string[] = [];

  /** Text is measured by a canvas's context, which is not drawn on. */
  constructor(ruler: CanvasRenderingContext2D) {
    this.#ruler = ruler;
  }

  save(): void {
    this.#saved.push({ x: this.#x, y: this.#y, scale: this.#scale, alpha: this.globalAlpha, dash: this.#dash });
  }

  restore(): void {
    const state = this.#saved.pop();
    if (state === undefined) return;
    this.#x = state.x;
    this.#y = state.y;
    this.#scale = state.scale;
    this.globalAlpha = state.alpha;
    this.#dash = state.dash;
  }

  translate(x: number, y: number): void {
    this.#x += x * this.#scale;
    this.#y += y * this.#scale;
  }

  scale(x: number, _y: number): void {
    this.#scale *= x;
  }

  beginPath(): void {
    this.#path = [];
  }

  moveTo(x: number, y: number): void {
    this.#path.push(`M${this.#at(x, y)}`);
  }

  lineTo(x: number, y: number): void {
    this.#path.push(`L${this.#at(x, y)}`);
  }

  bezierCurveTo(x1: number, y1: number, x2: number, y2: number, x: number, y: number): void {
    this.#path.push(`C${this.#at(x1, y1)} ${this.#at(x2, y2)} ${this.#at(x, y)}`);
  }

  closePath(): void {
    this.#path.push('Z');
  }

  /** Whole circles only. */
  arc(x: number, y: number, radius: number): void {
    const r = round(radius * this.#scale);
    this.#path.push(`M${this.#at(x - radius, y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`);
  }

  roundRect(x: number, y: number, width: number, height: number, radii?: number | DOMPointInit | unknown): void {
    const r = round((typeof radii === 'number' ? radii : 0) * this.#scale);
    const [w, h] = [round(width * this.#scale - 2 * r), round(height * this.#scale - 2 * r)];
    const corner = (dx: number, dy: number) => `a${r} ${r} 0 0 1 ${dx} ${dy}`;
    const start = `M${round(this.#x + x * this.#scale + r)} ${round(this.#y + y * this.#scale)}`;
    this.#path.push(`${start}h${w}${corner(r, r)}v${h}${corner(-r, r)}h${-w}${corner(-r, -r)}v${-h}${corner(r, -r)}Z`);
  }

  fill(): void {
    this.#parts.push(`<path d="${this.#path.join('')}" fill="${attribute(this.fillStyle)}"${this.#opacity()}/>`);
  }

  stroke(): void {
    this.#parts.push(`<path d="${this.#path.join('')}" fill="none"${this.#pen(this.#scale)}/>`);
  }

  strokeOutline(outline: string): void {
    const transform = `translate(${round(this.#x)} ${round(this.#y)}) scale(${round(this.#scale)})`;
    this.#parts.push(`<path d="${outline}" transform="${transform}" fill="none"${this.#pen(1)}/>`);
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    this.beginPath();
    this.roundRect(x, y, width, height, 0);
    this.fill();
  }

  fillText(text: string, x: number, y: number): void {
    const anchor = this.textAlign === 'right' ? 'end' : this.textAlign === 'center' ? 'middle' : 'start';
    const baseline = this.textBaseline === 'middle' ? ' dominant-baseline="central"' : '';
    const parts = /^(\S+) ([\d.]+)px (.+)$/.exec(this.font);
    const [, weight, size, family] = parts ?? ['', '400', '10', 'sans-serif'];
    // As wide as it was measured, in whatever face it will be shown: another one than ours may be wider.
    const width = round(this.measureText(text).width * this.#scale);
    const length = width > 0 ? ` textLength="${width}" lengthAdjust="spacingAndGlyphs"` : '';
    this.#parts.push(
      `<text x="${round(this.#x + x * this.#scale)}" y="${round(this.#y + y * this.#scale)}" fill="${attribute(this.fillStyle)}" ` +
        `font-family="${attribute(family)}" font-weight="${weight}" font-size="${round(Number(size) * this.#scale)}" ` +
        `text-anchor="${anchor}"${length}${baseline}${this.#opacity()}>${escaped(text)}</text>`,
    );
  }

  measureText(text: string): TextMetrics {
    this.#ruler.font = this.font;
    return this.#ruler.measureText(text);
  }

  setLineDash(segments: Iterable<number>): void {
    this.#dash = [...segments];
  }

  /** The document: what was painted so far, within these bounds. */
  document(bounds: { x: number; y: number; width: number; height: number }, title: string): string {
    const { x, y, width, height } = bounds;
    return (
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${[x, y, width, height].map(round).join(' ')}" ` +
      `width="${round(width)}" height="${round(height)}" role="img"><title>${escaped(title)}</title>\n${this.#parts.join('\n')}\n</svg>\n`
    );
  }

  #pen(scale: number): string {
    const lengths = this.#dash.map((each) => round(each * scale)).join(' ');
    const shift = this.lineDashOffset === 0 ? '' : ` stroke-dashoffset="${round(this.lineDashOffset * scale)}"`;
    const dash = this.#dash.length === 0 ? '' : ` stroke-dasharray="${lengths}"${shift}`;
    const cap = this.lineCap === 'butt' ? '' : ` stroke-linecap="${this.lineCap}"`;
    const join = this.lineJoin === 'miter' ? '' : ` stroke-linejoin="${this.lineJoin}"`;
    return ` stroke="${attribute(this.strokeStyle)}" stroke-width="${round(this.lineWidth * scale)}"${cap}${join}${dash}${this.#opacity()}`;
  }

  #opacity(): string {
    return this.globalAlpha >= 1 ? '' : ` opacity="${round(this.globalAlpha)}"`;
  }

  #at(x: number, y: number): string {
    return `${round(this.#x + x * this.#scale)} ${round(this.#y + y * this.#scale)}`;
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function attribute(value: unknown): string {
  return escaped(String(value));
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

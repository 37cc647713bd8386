import type { Palette } from './palette';

const SIZE = 32;

function draw(paint: (c: CanvasRenderingContext2D) => void): ImageData {
  const canvas = document.createElement('canvas');
  canvas.width = SIZE;
  canvas.height = SIZE;
  const c = canvas.getContext('2d');
  if (!c) return new ImageData(SIZE, SIZE);
  paint(c);
  return c.getImageData(0, 0, SIZE, SIZE);
}

function path(c: CanvasRenderingContext2D, points: readonly (readonly [number, number])[], close: boolean): void {
  c.beginPath();
  points.forEach(([x, y], i) => (i === 0 ? c.moveTo(x, y) : c.lineTo(x, y)));
  if (close) c.closePath();
}

/** The marks of the map, drawn here so that no picture is fetched. */
export function mapIcons(p: Palette): Record<string, ImageData> {
  const line = (c: CanvasRenderingContext2D) => {
    c.lineWidth = 3;
    c.strokeStyle = p.point;
    c.fillStyle = p.halo;
  };
  return {
    flow: draw((c) => {
      c.fillStyle = p.river;
      c.strokeStyle = p.halo;
      c.lineWidth = 2;
      path(
        c,
        [
          [6, 5],
          [28, 16],
          [6, 27],
          [11, 16],
        ],
        true,
      );
      c.fill();
      c.stroke();
    }),
    section: draw((c) => {
      line(c);
      c.beginPath();
      c.arc(16, 16, 8, 0, 7);
      c.fill();
      c.stroke();
    }),
    intake: draw((c) => {
      line(c);
      c.fillStyle = p.point;
      path(
        c,
        [
          [16, 4],
          [26, 24],
          [6, 24],
        ],
        true,
      );
      c.fill();
    }),
    crossing: draw((c) => {
      line(c);
      path(
        c,
        [
          [16, 5],
          [27, 16],
          [16, 27],
          [5, 16],
        ],
        true,
      );
      c.fill();
      c.stroke();
    }),
  };
}

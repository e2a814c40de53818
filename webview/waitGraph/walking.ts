// Which node an arrow key leads to. Pure.
import type { Point } from './layout';

export type Direction = 'up' | 'down' | 'left' | 'right';

const vectors: Readonly<Record<Direction, Point>> = { up: { x: 0, y: -1 }, down: { x: 0, y: 1 }, left: { x: -1, y: 0 }, right: { x: 1, y: 0 } };

/**
 * Along an edge, if one leads that way: to the neighbour that lies most in the direction. Else to the nearest node that lies
 * that way at all, so that every part can be reached; else nowhere.
 */
export function step(from: string, direction: Direction, places: ReadonlyMap<string, Point>, neighbours: (id: string) => readonly string[]): string | undefined {
  const at = places.get(from);
  if (!at) return undefined;
  const { x: dx, y: dy } = vectors[direction];
  const best = (ids: Iterable<string>, narrowest: number): string | undefined => {
    let found: string | undefined;
    let least = Infinity;
    for (const id of ids) {
      const to = places.get(id);
      if (id === from || !to) continue;
      const [x, y] = [to.x - at.x, to.y - at.y];
      const distance = Math.hypot(x, y);
      const along = (x * dx + y * dy) / (distance || 1);
      if (along < narrowest) continue;
      const cost = distance * (2 - along);
      if (cost < least) [found, least] = [id, cost];
    }
    return found;
  };
  return best(neighbours(from), 0.34) ?? best(places.keys(), 0.5);
}

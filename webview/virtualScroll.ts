// Scrolling over more than a browser can lay out (about 33 million pixels in Chromium): beyond `tallest` the scroll bar is scaled, while
// wheel, keys and track pad still move by exact pixels. Pure.

/** Pixels: far below every browser's limit, also when zoomed. */
export const tallest = 6_000_000;

export interface ScrollExtent { readonly rows: number; readonly rowHeight: number; /** Pixels that are visible. */ readonly viewport: number }
/** `top`: pixels of content above the viewport, as if everything were laid out. `scrollTop`: where the element's own scroll bar is. */
export interface ScrollPosition { readonly top: number; readonly scrollTop: number }

/** Height of the element in the scroller, in pixels. */
export function laidOutHeight({ rows, rowHeight }: ScrollExtent): number {
  return Math.min(rows * rowHeight, tallest);
}

const farthestTop = ({ rows, rowHeight, viewport }: ScrollExtent): number => Math.max(0, rows * rowHeight - viewport);
const farthestScroll = (extent: ScrollExtent): number => Math.max(0, laidOutHeight(extent) - extent.viewport);
const clamp = (value: number, most: number): number => Math.min(Math.max(0, value), most);

export function isScaled({ rows, rowHeight }: ScrollExtent): boolean { return rows * rowHeight > tallest; }

/** Where the scroll bar belongs for a position. */
export function scrollTopFor(top: number, extent: ScrollExtent): number {
  if (!isScaled(extent)) return clamp(top, farthestScroll(extent));
  const most = farthestTop(extent);
  return most === 0 ? 0 : clamp(top / most * farthestScroll(extent), farthestScroll(extent));
}

/** A position from a wanted `top`. */
export function scrollTo(top: number, extent: ScrollExtent): ScrollPosition {
  const at = clamp(top, farthestTop(extent));
  return { top: at, scrollTop: scrollTopFor(at, extent) };
}

/**
 * The browser has scrolled. A step of up to three screens (wheel, keys, a click beside the thumb) moves by as much; anything larger is the
 * thumb being dragged: the content goes in proportion.
 */
export function scrolled(before: ScrollPosition, scrollTop: number, extent: ScrollExtent): ScrollPosition {
  if (!isScaled(extent)) return { top: clamp(scrollTop, farthestTop(extent)), scrollTop };
  const step = scrollTop - before.scrollTop;
  if (Math.abs(step) <= 3 * extent.viewport) return { top: clamp(before.top + step, farthestTop(extent)), scrollTop };
  const most = farthestScroll(extent);
  return { top: most === 0 ? 0 : clamp(scrollTop / most, 1) * farthestTop(extent), scrollTop };
}

/** The least movement after which a row is wholly in sight; the position itself when it is already. */
export function revealRow(position: ScrollPosition, row: number, extent: ScrollExtent, centred = false): ScrollPosition {
  const start = row * extent.rowHeight, end = start + extent.rowHeight;
  if (start >= position.top && end <= position.top + extent.viewport) return position;
  if (centred) return scrollTo(start - Math.floor((extent.viewport - extent.rowHeight) / 2 / extent.rowHeight) * extent.rowHeight, extent);
  return scrollTo(start < position.top ? start : end - extent.viewport, extent);
}

// The drawing as a file that needs nothing else: every colour that the theme resolves to stands in it, and no script, class or font.
import { svgElement } from './drawing';
import type { Box } from './viewport';

const properties = ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-linecap', 'opacity', 'font-size', 'font-weight', 'text-anchor', 'paint-order', 'stroke-linejoin'] as const;
const margin = 24;

/**
 * The drawing in its present colours as the text of an SVG file.
 * @param layers what is drawn, in drawing order
 * @param box the space it takes
 * @param title for readers of the file
 */
export function exportedSvg(layers: readonly SVGGElement[], box: Box, title: string): string {
  const [width, height] = [Math.ceil(box.right - box.left + margin * 2), Math.ceil(box.bottom - box.top + margin * 2)];
  const svg = svgElement('svg', { xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `${Math.floor(box.left - margin)} ${Math.floor(box.top - margin)} ${width} ${height}`, role: 'img' });
  const name = svgElement('title');
  name.textContent = title;
  const body = getComputedStyle(document.body);
  svg.append(name, svgElement('rect', { x: Math.floor(box.left - margin), y: Math.floor(box.top - margin), width, height, fill: body.backgroundColor }));
  const drawing = svgElement('g', { 'font-family': body.fontFamily });
  drawing.append(...layers.flatMap(layer => copied(layer)));
  svg.append(drawing);
  return new XMLSerializer().serializeToString(svg);
}

function copied(element: Element): Element[] {
  const style = getComputedStyle(element);
  if (element.classList.contains('ring') || style.display === 'none' || style.visibility === 'hidden') return [];
  const copy = element.cloneNode(false) as SVGElement;
  for (const attribute of [...copy.attributes]) if (/^(class|tabindex|role|aria-.*|data-.*|style)$/.test(attribute.name)) copy.removeAttribute(attribute.name);
  if (!(element instanceof SVGGElement) && !(element instanceof SVGTitleElement)) {
    for (const property of properties) {
      const value = style.getPropertyValue(property);
      if (value !== '' && value !== 'none' && value !== 'normal') copy.setAttribute(property, property === 'fill' || property === 'stroke' ? plainColour(value) : value.replace(/px/g, ''));
      else if (property === 'fill' && value === 'none') copy.setAttribute('fill', 'none');
    }
  } else if (element instanceof SVGGElement && style.opacity !== '1') copy.setAttribute('opacity', style.opacity);
  for (const child of element.childNodes) {
    if (child instanceof Element) copy.append(...copied(child));
    else if (child.nodeType === Node.TEXT_NODE) copy.append(child.cloneNode());
  }
  return [copy];
}

/** `color(srgb …)` and the like, which few programs read, as `rgb()`. */
function plainColour(value: string): string {
  if (/^(rgba?\(|#|none|transparent)/.test(value)) return value;
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  if (!context) return value;
  context.fillStyle = value;
  context.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0, alpha = 255] = context.getImageData(0, 0, 1, 1).data;
  return alpha === 255 ? `rgb(${red}, ${green}, ${blue})` : `rgba(${red}, ${green}, ${blue}, ${(alpha / 255).toFixed(3)})`;
}

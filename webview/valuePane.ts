// Beside the grid: what the bytes at the cursor mean, as numbers in either byte order and as a structure.
import type { MemoryState, MemoryStrings } from './memoryProtocol';
import { element } from './memoryFrame';
import { StructPane } from './structPane';
import { fill } from './text';
import { valuesAt } from './valuesAt';

export interface ValueHost {
  /** Bytes that were read; undefined where they were not, or could not be seen. */
  readonly bytes: (offset: number, length: number) => Uint8Array | undefined;
  /** Other bytes are needed than before. */
  readonly want: () => void;
  readonly copy: (text: string) => void;
  /** As many of these as were read. */
  readonly prefix: (offset: number, length: number) => Uint8Array;
  readonly declarations: (text: string, structure: string) => void;
  readonly select: (offset: number, length: number) => void;
}

/** The longest value, in bytes. */
const longest = 8;

export class ValuePane {
  readonly element = element('aside', 'side');
  private readonly cells: readonly { readonly row: HTMLTableRowElement; readonly little: HTMLButtonElement; readonly big: HTMLButtonElement | undefined }[];
  private readonly structure: StructPane;
  private size = 0;

  constructor(private readonly strings: MemoryStrings, language: string, littleEndian: boolean, state: MemoryState, private readonly host: ValueHost) {
    const head = element('tr', '', ...[strings.type, strings.littleEndian, strings.bigEndian].map(text => { const cell = element('th', '', text); cell.scope = 'col'; return cell; }));
    const value = (): HTMLButtonElement => {
      const button = element('button', 'value');
      button.type = 'button';
      button.addEventListener('click', () => { if (button.textContent !== '') this.host.copy(button.textContent ?? ''); });
      return button;
    };
    this.cells = valuesAt(new Uint8Array(8)).map(({ type, big }) => {
      const name = element('th', '', type);
      name.scope = 'row';
      const little = value();
      const other = big === undefined ? undefined : value();
      const first = element('td', '', little);
      if (other === undefined) first.colSpan = 2;
      return { row: element('tr', '', name, first, ...(other === undefined ? [] : [element('td', '', other)])), little, big: other };
    });
    const heading = element('h2', '', strings.valuesTitle);
    heading.id = 'heading-values';
    const table = element('table', 'values', element('thead', '', head), element('tbody', '', ...this.cells.map(it => it.row)));
    table.setAttribute('aria-labelledby', heading.id);
    const section = element('section', '', heading, table);
    section.setAttribute('aria-labelledby', heading.id);
    this.structure = new StructPane(strings, language, littleEndian, state, host);
    this.element.append(section, this.structure.element);
  }

  /** First byte that is needed with the cursor there, and the one after the last. */
  needs(cursor: number, size: number): readonly [number, number] {
    this.size = size;
    const [first, after] = this.structure.needs(cursor);
    // The structure may be pinned elsewhere: what the numbers need is small, and asked for with the view.
    return after > first ? [Math.min(first, size), Math.min(size, Math.max(after, first === cursor ? cursor + longest : after))] : [cursor, Math.min(size, cursor + longest)];
  }

  /** Shows the values at an offset; undefined: there is nothing to show. */
  show(offset: number | undefined): void {
    this.structure.show(offset);
    const bytes = offset === undefined ? undefined : this.host.bytes(offset, Math.max(0, Math.min(longest, this.size - offset)));
    const values = bytes === undefined ? undefined : valuesAt(bytes);
    this.cells.forEach(({ little, big }, index) => {
      this.put(little, values?.[index]?.little);
      if (big) this.put(big, values?.[index]?.big);
    });
  }

  private put(button: HTMLButtonElement, text: string | undefined): void {
    const shown = text === undefined || text === '' ? this.strings.noValue : text;
    if (button.textContent === shown) return;
    button.textContent = shown;
    button.disabled = text === undefined || text === '';
    button.title = button.disabled ? '' : fill(this.strings.copyValue, shown);
  }
}

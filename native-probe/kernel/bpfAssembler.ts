// Instructions of the kernel's BPF machine (Documentation/bpf/standardization/instruction-set.rst) as bytes, with labels. Pure.

/** Registers: 0 results, 1–5 arguments (lost by a call), 6–9 kept, 10 the end of the stack. */
export type Register = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10;
/** Bytes of memory that one instruction reads or writes. */
export type Width = 4 | 8;

const BPF_LDX = 0x61, BPF_STX = 0x63, DOUBLE = 0x18;
const BPF_LD_IMM64 = 0x18, BPF_CALL = 0x85, BPF_EXIT = 0x95, BPF_JA = 0x05;
const BPF_PSEUDO_MAP_FD = 1;
/** 64-bit arithmetic with an immediate; with a register the code is 8 more. */
const operations = { add: 0x07, and: 0x57, multiply: 0x27, move: 0xb7 } as const;
/** 64-bit unsigned comparisons with an immediate; with a register the code is 8 more. */
const conditions = { '==': 0x15, '!=': 0x55, '<': 0xa5, '>=': 0x35 } as const;
const withRegister = 8;

export type Operation = keyof typeof operations;
export type Condition = keyof typeof conditions;
/** A register, or a number (32 bits, extended with its sign). */
export type Operand = { readonly register: Register } | number;

interface Instruction { readonly code: number; readonly to?: Register; readonly from?: number; readonly offset?: number; readonly immediate?: number; readonly target?: string }

export class BpfAssembler {
  readonly #instructions: Instruction[] = [];
  readonly #labels = new Map<string, number>();

  /** How many instructions there are, a 64-bit immediate counting twice. */
  get length(): number { return this.#instructions.length; }

  label(name: string): this {
    if (this.#labels.has(name)) throw new Error(`label ${name} stands twice`);
    this.#labels.set(name, this.#instructions.length);
    return this;
  }

  /** to = *(base + offset) */
  load(width: Width, to: Register, base: Register, offset: number): this {
    return this.#add({ code: width === 8 ? BPF_LDX | DOUBLE : BPF_LDX, to, from: base, offset });
  }

  /** *(base + offset) = from */
  store(width: Width, base: Register, offset: number, from: Register): this {
    return this.#add({ code: width === 8 ? BPF_STX | DOUBLE : BPF_STX, to: base, from, offset });
  }

  compute(operation: Operation, to: Register, operand: Operand): this {
    return this.#add({ to, ...coded(operations[operation], operand) });
  }

  /** to = a map, by its descriptor; the kernel puts its address there. */
  loadMap(to: Register, fd: number): this {
    return this.#add({ code: BPF_LD_IMM64, to, from: BPF_PSEUDO_MAP_FD, immediate: fd }).#add({ code: 0 });
  }

  jump(target: string): this { return this.#add({ code: BPF_JA, target }); }
  jumpIf(left: Register, condition: Condition, operand: Operand, target: string): this {
    return this.#add({ to: left, target, ...coded(conditions[condition], operand) });
  }

  call(helper: number): this { return this.#add({ code: BPF_CALL, immediate: helper }); }
  exit(): this { return this.#add({ code: BPF_EXIT }); }

  /** The program. Throws for a label that nowhere stands, or stands too far away. */
  assembled(): Buffer {
    const bytes = Buffer.alloc(8 * this.#instructions.length);
    this.#instructions.forEach(({ code, to = 0, from = 0, offset = 0, immediate = 0, target }, index) => {
      const there = target === undefined ? undefined : this.#labels.get(target);
      if (target !== undefined && there === undefined) throw new Error(`label ${target} nowhere stands`);
      bytes.writeUInt8(code, 8 * index);
      bytes.writeUInt8((from << 4) | to, 8 * index + 1);
      bytes.writeInt16LE(there === undefined ? offset : there - index - 1, 8 * index + 2);
      bytes.writeInt32LE(immediate, 8 * index + 4);
    });
    return bytes;
  }

  #add(instruction: Instruction): this {
    this.#instructions.push(instruction);
    return this;
  }
}

function coded(code: number, operand: Operand): Pick<Instruction, 'code' | 'from' | 'immediate'> {
  return typeof operand === 'number' ? { code, immediate: operand } : { code: code + withRegister, from: operand.register };
}

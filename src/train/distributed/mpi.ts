/** Open MPI through koffi: what `mpirun`, `srun --mpi=pmix` or Kubeflow's MPI operator start finds its peers. */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { InputError } from '../../base/errors.ts';
import type { Transport } from './transport.ts';

/** Debian's names, the newest first. */
const libraries = ['libmpi.so.40', 'libmpi.so', 'libmpi.40.dylib', 'libmpi.dylib'];

/** Milliseconds between two looks at whether the others have come. */
const pause = 1;

export interface Mpi extends Transport {
  /** Leaves in peace: all ranks have come here. */
  finish(): void;
  /** Ends the processes of all ranks. */
  abort(exitCode: number): void;
}

/**
 * Joins the other ranks. Once in a process.
 * @param signal ends each wait for others
 * @throws InputError where there is no Open MPI here, or the program was not started by it
 */
export async function openMpi(signal?: AbortSignal): Promise<Mpi> {
  const mpi = await bind();
  check('MPI_Init', mpi.init(null, null));
  const [rank, size] = [[0], [0]];
  check('MPI_Comm_rank', mpi.rank(mpi.world, rank));
  check('MPI_Comm_size', mpi.size(mpi.world, size));
  /** Memory that MPI reads or writes, which must not be collected meanwhile. */
  const inUse = new Set<Uint8Array>();
  /** Waits for what was begun: with pauses, or where the others are known to be at it with none. */
  const wait = async (request: Request, pauses: boolean): Promise<void> => {
    const done = [0];
    for (;;) {
      check('MPI_Test', mpi.test(request, done, null));
      if (done[0] !== 0) return;
      if (signal?.aborted === true) throw signal.reason;
      await (pauses ? sleep(pause) : turn());
    }
  };
  const exchange = async (
    name: string,
    memory: readonly Uint8Array[],
    begin: (request: Request) => number,
  ): Promise<void> => {
    const request: Request = [null];
    for (const bytes of memory) inUse.add(bytes);
    check(name, begin(request));
    await wait(request, memory.length === 0);
    for (const bytes of memory) inUse.delete(bytes);
  };
  const { byte, world } = mpi;
  return {
    rank: rank[0],
    size: size[0],
    meet: () => exchange('MPI_Ibarrier', [], (request) => mpi.barrier(world, request)),
    allToAll(pieces, received) {
      const count = pieces.length / size[0];
      return exchange('MPI_Ialltoall', [pieces, received], (request) =>
        mpi.allToAll(pieces, count, byte, received, count, byte, world, request),
      );
    },
    allGather: (piece, received) =>
      exchange('MPI_Iallgather', [piece, received], (request) =>
        mpi.allGather(piece, piece.length, byte, received, piece.length, byte, world, request),
      ),
    broadcast: (bytes) =>
      exchange('MPI_Ibcast', [bytes], (request) =>
        mpi.broadcast(bytes, bytes.length, byte, 0, world, request),
      ),
    finish: () => check('MPI_Finalize', mpi.finalize()),
    abort: (exitCode) => {
      mpi.abort(world, exitCode);
    },
  };
}

/** A handle that MPI writes, in a list of one. */
type Request = [unknown];

async function bind() {
  const library = await load();
  const version = Buffer.alloc(8192);
  const length = [0];
  library.func('int MPI_Get_library_version(_Out_ char *version, _Out_ int *length)')(
    version,
    length,
  );
  const name = version.toString('latin1', 0, length[0]);
  if (!name.startsWith('Open MPI'))
    throw new InputError(
      `--distributed mpi: the MPI here is ${name.split(/[\n,]/)[0]}; refcap speaks Open MPI's (Debian: apt install openmpi-bin).`,
    );
  const several = 'int count, void *type, void *received, int each, void *of, void *world';
  return {
    world: library.symbol('ompi_mpi_comm_world', 'void *'),
    byte: library.symbol('ompi_mpi_byte', 'void *'),
    init: library.func('int MPI_Init(void *argc, void *argv)'),
    rank: library.func('int MPI_Comm_rank(void *world, _Out_ int *rank)'),
    size: library.func('int MPI_Comm_size(void *world, _Out_ int *size)'),
    test: library.func('int MPI_Test(_Inout_ void **request, _Out_ int *done, void *status)'),
    barrier: library.func('int MPI_Ibarrier(void *world, _Out_ void **request)'),
    allToAll: library.func(`int MPI_Ialltoall(void *sent, ${several}, _Out_ void **request)`),
    allGather: library.func(`int MPI_Iallgather(void *sent, ${several}, _Out_ void **request)`),
    broadcast: library.func(
      'int MPI_Ibcast(void *bytes, int count, void *type, int root, void *world, _Out_ void **request)',
    ),
    finalize: library.func('int MPI_Finalize()'),
    abort: library.func('int MPI_Abort(void *world, int exitCode)'),
  };
}

async function load() {
  const koffi = await import('koffi').then(
    (module) => module.default,
    () => {
      // An optional dependency: not every platform has it built.
      throw new InputError(
        '--distributed mpi needs the package koffi, which is not installed here; npm install koffi, or train with one process.',
      );
    },
  );
  for (const name of libraries)
    try {
      // Open MPI loads its own parts, which look for it among all symbols.
      return koffi.load(name, { global: true });
    } catch {
      // The next one, then.
    }
  throw new InputError(
    '--distributed mpi: there is no Open MPI here (Debian: apt install openmpi-bin); without the option one process trains.',
  );
}

function check(name: string, code: number): void {
  if (code !== 0)
    throw new InputError(`${name} failed with code ${code}; see what MPI says above.`);
}

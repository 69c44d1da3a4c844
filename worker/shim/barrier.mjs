// The barrier around one visitor's synchronous step. Rust calls `run`; the frame here opens the transaction and enters
// the wasm export itself (not its wrapper). Whatever is thrown or traps inside is caught here: the transaction is rolled
// back, Rust gets a status and goes on. Arguments and results travel in a thread-local slot of the wasm module.

/** The step committed. */
const COMMITTED = 0;
/** The step gave an error of its own and was rolled back. (1 is what the export returns for it.) */
const PANICKED = 2;
/** The storage refused the transaction. */
const STORAGE_FAILED = 3;

const ROLL_BACK = Symbol("roll back");

export const barrier = {
  /** Whether a step is running: a panic now is contained and does not cost the instance. */
  active: false,
  /** Panics contained since the instance was made. */
  contained: 0,

  /** Runs the export `name` in one transaction of `storage`; gives a status. */
  run(storage, exports, name) {
    let status = STORAGE_FAILED;
    this.active = true;
    try {
      storage.transactionSync(() => {
        status = PANICKED;
        status = exports[name]();
        if (status !== COMMITTED) throw ROLL_BACK;
      });
    } catch (error) {
      if (status === PANICKED) this.contained += 1;
      else if (status === COMMITTED) status = STORAGE_FAILED;
      if (error !== ROLL_BACK) console.error("step rolled back:", String(error));
    } finally {
      this.active = false;
    }
    return status;
  },
};

// The wasm module imports the barrier as a global: its glue is generated and cannot name this file.
globalThis.__selvedge_barrier = barrier;

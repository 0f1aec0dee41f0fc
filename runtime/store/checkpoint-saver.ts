/** LangGraph's SQLite saver on the store's own handle, with the things about it that must differ. */
import { JsonPlusSerializer } from '@langchain/langgraph-checkpoint'
import { SqliteSaver } from '@langchain/langgraph-checkpoint-sqlite'
import { AgenticError } from '../errors.js'
import type { SqliteHandle } from '../sqlite.js'

/** Makes its tables when told to, inside the transaction of the store's migrations. */
export class CheckpointSaver extends SqliteSaver {
  constructor(handle: SqliteHandle) {
    super(handle, new FaithfulSerializer())
  }

  prepare(): void {
    this.setup()
  }
}

/** What LangGraph's serializer writes in place of a value, or of a whole checkpoint, with a bigint in it. */
const placeholder = '[unable to serialize, circular reference is too complex to analyze]'
const placeholderBytes = Buffer.from(JSON.stringify(placeholder))

/** LangGraph's serializer, where it would change a value without a word. */
class FaithfulSerializer extends JsonPlusSerializer {
  /** @throws AgenticError ERR_STORE_FAILED for state that would be lost */
  override async dumpsTyped(value: unknown): Promise<[string, Uint8Array]> {
    // Bytes alone would be stored as they are, but the saver reads pending writes back as text. As JSON,
    // which is how bytes inside an object are kept anyway, they survive. A copy without Buffer's own toJSON.
    const bytes = this._dumps(value instanceof Uint8Array ? Uint8Array.from(value) : value)
    if (value !== placeholder && placeholderBytes.equals(bytes)) {
      throw new AgenticError('ERR_STORE_FAILED', 'the state holds a value that cannot be serialized')
    }
    return ['json', bytes]
  }
}

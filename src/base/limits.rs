//! Every bound of the project, in one place. Over a bound there is a diagnostic or an error, never a panic.

/// The largest source file, in bytes.
pub const SOURCE_BYTES_MAX: usize = 16 << 20;
/// The most files in one package, its dependencies included.
pub const FILES_MAX: usize = 4_096;
/// How deep expressions, types and blocks may nest in a source.
pub const NESTING_MAX: usize = 64;
/// How deep the tree of one expression may be, chains of operators included: what recursion over it has stack for.
pub const EXPRESSION_DEPTH_MAX: usize = 128;
/// The most diagnostics that one run reports.
pub const DIAGNOSTICS_MAX: usize = 500;
/// The most active instances of modules in one package.
pub const INSTANCES_MAX: usize = 4_096;
/// The longest identifier, in bytes.
pub const NAME_BYTES_MAX: usize = 128;

/// The bound of a collection whose type declares none, in elements.
pub const COLLECTION_DEFAULT_MAX: u32 = 1_024;
/// The largest bound a collection may declare, in elements.
pub const COLLECTION_MAX: u32 = 65_536;
/// The bound of a string whose type declares none, in bytes of UTF-8.
pub const STRING_DEFAULT_BYTES_MAX: u32 = 65_536;
/// The largest bound a string may declare, in bytes of UTF-8.
pub const STRING_BYTES_MAX: u32 = 1 << 20;
/// The longest glob or regular expression, in bytes of its source.
pub const PATTERN_BYTES_MAX: usize = 4_096;
/// The largest automaton of one pattern, in bytes.
pub const PATTERN_DFA_BYTES_MAX: usize = 2 << 20;
/// The longest URL, in bytes.
pub const URL_BYTES_MAX: usize = 8_192;
/// The longest path, in bytes.
pub const PATH_BYTES_MAX: usize = 4_096;

/// The largest request, in bytes of JSON.
pub const REQUEST_BYTES_MAX: usize = 1 << 20;
/// How deep a request or an entities file may nest.
pub const JSON_DEPTH_MAX: usize = 64;
/// The largest entities file, in bytes of JSON.
pub const ENTITIES_BYTES_MAX: usize = 1 << 30;
/// The most entities in one registry.
pub const ENTITIES_MAX: usize = 1 << 24;

/// The most values that a decision may hold, of its request and of what its rules make.
pub const LOCAL_VALUES_MAX: usize = 1 << 22;
/// The most bytes of text that a decision may hold.
pub const LOCAL_TEXT_BYTES_MAX: usize = 1 << 26;
/// The longest message of a rule in a decision, in bytes; a longer one is cut.
pub const MESSAGE_BYTES_MAX: usize = 4_096;

/// The largest bundle, in bytes.
pub const BUNDLE_BYTES_MAX: usize = 256 << 20;
/// The most sections in a bundle.
pub const SECTIONS_MAX: usize = 64;
/// The most signatures on a bundle.
pub const SIGNATURES_MAX: usize = 16;
/// The most slots in one function's frame.
pub const FRAME_SLOTS_MAX: u32 = 65_535;
/// The most slots of all frames that a decision can have on its stack at once.
pub const STACK_SLOTS_MAX: u32 = 1 << 20;
/// How deep functions may call.
pub const CALL_DEPTH_MAX: u32 = 256;
/// The highest certified cost of an action that the loader accepts unless it is told otherwise, in steps.
pub const COST_DEFAULT_MAX: u64 = 1 << 40;
/// How deep loops may nest in one function.
pub const LOOP_DEPTH_MAX: usize = 64;
/// The most entries of one table of a program: what 24 bits can name.
pub const TABLE_MAX: u32 = (1 << 24) - 1;
/// The most instructions of a program.
pub const CODE_MAX: u32 = 1 << 25;
/// The most variants of one enum.
pub const ENUM_VARIANTS_MAX: usize = 65_535;
/// The longest qualified name, in bytes.
pub const QUALIFIED_NAME_BYTES_MAX: usize = 1_024;
/// The longest id of an entity, and the longest key of a map, in bytes of UTF-8.
pub const ID_BYTES_MAX: u32 = STRING_DEFAULT_BYTES_MAX;
/// The largest all automata of a program, in bytes.
pub const PATTERNS_DFA_BYTES_MAX: usize = 64 << 20;
/// The most work that looking for missing and hidden rows of one table or `match` may take, in rows looked at.
pub const EXHAUSTIVE_STEPS_MAX: usize = 20_000_000;
/// How much the verifier does for a program beside some hundred looks at every instruction, in states of slots looked at.
pub const VERIFY_WORK_MAX: u64 = 1 << 26;
/// The largest `pdl.toml`, in bytes.
pub const MANIFEST_BYTES_MAX: usize = 1 << 20;
/// How deep the folders of a package may nest.
pub const FOLDER_DEPTH_MAX: usize = 64;
/// The longest name of a revision, in bytes.
pub const REVISION_BYTES_MAX: usize = 1_024;
/// The most folders and sources of a revision that are looked at.
pub const REVISION_FILES_MAX: usize = 1 << 20;
/// The longest list of the files of a revision, in bytes.
pub const REVISION_LIST_BYTES_MAX: u64 = 1 << 30;
/// The longest line of a file of requests that are decided again, in bytes: a request, facts and a decision.
pub const ROW_BYTES_MAX: usize = 4 << 20;
/// The longest request of an example of what has changed, in bytes.
pub const EXAMPLE_BYTES_MAX: usize = 64 << 10;
/// The most subjects by which changes are counted.
pub const NAMES_COUNTED_MAX: usize = 65_536;
/// The longest text of a permit, in bytes.
pub const PERMIT_BYTES_MAX: usize = 4_096;
/// The largest file of a key, in bytes.
pub const KEY_FILE_BYTES_MAX: usize = 4_096;
/// The most ways of being seen that coverage counts in one package; what lies beyond is not counted at all.
pub const PROBES_MAX: usize = 50_000;
/// The most memory that the sets of ancestors of all entities may take, in words of eight bytes.
pub const ANCESTOR_WORDS_MAX: usize = 1 << 27;

/// The longest kind, key, state or id that a store of the kernel keeps, in bytes.
pub const STORE_KEY_BYTES_MAX: usize = 65_536;
/// The largest object of the kernel, in bytes of its body.
pub const OBJECT_BYTES_MAX: usize = 16 << 20;
/// The largest content that the kernel keeps by its digest, in bytes.
pub const CONTENT_BYTES_MAX: usize = 512 << 20;
/// The most works that wait for the writer of a store; one more is refused.
pub const WRITER_QUEUE_MAX: usize = 4_096;
/// The most works that the writer of a store does in one transaction.
pub const WRITER_GROUP_MAX: usize = 1_024;
/// The largest entry of a log, in bytes: its length has to fit into two.
pub const ENTRY_BYTES_MAX: usize = 65_535;
/// The most entries of a log that are dropped in one transaction.
pub const COMPACT_MAX: u64 = 8_192;
/// How deep an entry of a log may nest: what a request may, and what is around it.
pub const ENTRY_DEPTH_MAX: usize = 96;
/// The most operators that a kernel has.
pub const OPERATORS_MAX: usize = 1_024;
/// The most findings that one verification of a log names.
pub const FINDINGS_MAX: usize = 1_000;
/// The most entries that one search of a log gives.
pub const SEARCH_MAX: u32 = 1_000;
/// The most entries that one search of a log looks at, before it says from where to go on.
pub const SEARCH_STEPS_MAX: u64 = 100_000;

/// How long people have to agree where no rule says it, in milliseconds: seven days.
pub const GATE_WITHIN_DEFAULT_MS: i64 = 604_800_000;
/// The longest that people have to agree, whatever the rules say, in milliseconds: thirty days.
pub const GATE_WITHIN_MAX_MS: i64 = 2_592_000_000;
/// The most votes that count for one request, and the highest quorum that can be met.
pub const GATE_VOTES_MAX: usize = 4_096;
/// The most owners of a request's subject and resource, and owners of these, that are followed; with more nobody can vote.
pub const GATE_OWNERS_MAX: usize = 4_096;
/// The most objects that one transaction of a sweep ends, or of a tidying removes.
pub const SWEEP_MAX: u32 = 256;
/// The longest type or id of a principal, in bytes: all of it stands in every entry.
pub const PRINCIPAL_BYTES_MAX: usize = 1_024;
/// How much of the reason of a denial of its own the kernel logs, in characters.
pub const TROUBLE_CHARACTERS_MAX: usize = 1_000;
/// Every so many versions the registry is kept whole.
pub const SNAPSHOT_EVERY: u64 = 64;

/// The most changes of governed records that one transaction makes.
pub const MOVES_MAX: usize = 64;
/// The most attributes that one change of a governed record leaves open until people have agreed.
pub const OPEN_ATTRIBUTES_MAX: usize = 64;
/// The most events that one change of a governed record announces.
pub const EVENTS_MAX: usize = 64;
/// The longest name of an event, in bytes.
pub const EVENT_NAME_BYTES_MAX: usize = 128;
/// The largest payload of an event, in bytes of JSON.
pub const EVENT_BYTES_MAX: usize = 64 << 10;
/// The largest evidence of one change of a governed record, in bytes of JSON.
pub const EVIDENCE_BYTES_MAX: usize = 1 << 20;
/// The most records, events or entries of a record's history that one reading gives.
pub const PAGE_MAX: u32 = 1_000;

//! Every limit of a plugin's file: its name, its number and its reason, in one place.

use kjerne_core::limit_table;

limit_table! {
    /// Every limit of a plugin's file.
    ALL;

    /// The largest component that is taken. JavaScript and Python guests carry their runtime along.
    PACKAGE = "package", 32 << 20, "bytes",
        "twice the largest guest we know (a Python runtime, 18 MB); a compiler takes minutes above";

    /// The most functions in a component.
    FUNCTIONS = "functions", 100_000, "functions",
        "compile time grows with them; a JavaScript engine has 20,000";

    /// Components within components.
    NESTING = "component-nesting", 6, "levels",
        "a program composed of programs, each with its adapters, has three";

    /// Types within types, about.
    TYPE_NESTING = "type-nesting", 100, "levels",
        "they are read by recursion; the contract's are two deep";

    /// Instances a component comes to when every one it makes is counted with those it makes in turn.
    EXPANSION = "expanded-instances", 1_000, "instances",
        "each level may multiply those below; a composition of ten plugins comes to some hundreds";

    /// Sections of a file, at all its levels; of one that says nothing too.
    SECTIONS = "sections", 20_000, "sections",
        "four bytes are one, and each is held by itself when a plugin is prepared; a program composed of \
         many has some hundreds";

    /// Items of one section of a component.
    SECTION_ITEMS = "section-items", 1_000, "items",
        "each may be compared with a type of a million parts, and nothing can be stopped within one";

    /// Items of all sections of a file: types, imports, exports, aliases, instances, globals, segments.
    ITEMS = "items", 200_000, "items",
        "each takes about a hundred bytes when it is checked; a Python runtime has some ten thousand";

    /// Bytes of all types in a file.
    TYPE_BYTES = "type-bytes", 1 << 20, "bytes",
        "they take many times their size when they are checked; the contract's take 10 KiB";

    /// Parameters and results of one function.
    PARAMETERS = "parameters", 128, "values",
        "each branch out of a block carries so many; compilers make some twenty";

    /// Elements of all tables' contents in a file.
    ELEMENTS = "elements", 200_000, "elements",
        "ten times what the tables of one call hold";

    /// Bytes of one function.
    FUNCTION_BYTES = "function-bytes", 1 << 20, "bytes",
        "compiling takes more than in proportion; the loop of a JavaScript engine has some 300 KiB";

    /// Local variables of all functions of a file.
    LOCALS = "locals", 5_000_000, "variables",
        "a few bytes declare 50,000; 50 for each of the most functions";

    /// Targets of jump tables in one function.
    JUMPS = "jumps", 20_000, "targets",
        "each becomes a block of its own; the loop of an interpreter has some thousands";

    /// Time in which a file is checked.
    VALIDATION = "validation-time", 2_000, "ms",
        "a Python runtime takes a tenth of it; what takes longer is made to";

    /// Bytes of a plugin's settings document.
    SETTINGS = "settings", 256 << 10, "bytes",
        "every call that reads them takes them over whole";

    /// Bytes of a manifest.
    MANIFEST = "manifest", 64 << 10, "bytes",
        "it is read by people";

    /// Bytes of a plugin's id, its version, and the name of an action or source.
    PLUGIN_NAME = "plugin-name", 64, "bytes",
        "they stand in file names, in keys of the store and in every line about the plugin";

    /// Reports of one plugin.
    REPORTS = "reports", 64, "reports",
        "they stand in one list that people choose from";

    /// Panels of one plugin.
    PANELS = "panels", 16, "panels",
        "each is a call whenever a card or the day's page is opened";

    /// Columns of a report, or of a table on a card.
    COLUMNS = "columns", 64, "columns",
        "nobody reads more side by side, and each row has a cell for each";

    /// Jobs of a plugin.
    JOBS = "jobs", 16, "jobs",
        "each is looked at whenever one is due, and shown to people in one list; what is due at the same time \
         is one job";

    /// Bytes of the name of a secret.
    SECRET_NAME = "secret-name", 64, "bytes",
        "a name for people, and no secret itself";

    /// Bytes of the name of a host messages go to.
    SEND_HOST = "send-host", 253, "bytes",
        "no name in the DNS is longer";

    /// Bytes of a file with a signature or a key.
    SIGNATURE = "signature", 4 << 10, "bytes",
        "four lines, of which the longest is a comment of some hundred letters";

    /// Bytes of the password of a signing key.
    KEY_PASSWORD = "key-password", 1_024, "bytes",
        "what minisign takes; a key with a longer one could be used by no other tool";

    /// Bytes of the name of a publisher.
    PUBLISHER_NAME = "publisher-name", 64, "bytes",
        "it stands in a key of the store and in every line about the publisher";
}

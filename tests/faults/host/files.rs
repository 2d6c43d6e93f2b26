//! Files that are to be installed: what they consist of, what they say twice, what a compiler makes of
//! them.

use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use kjerne_tests::Workspace;

use super::package::{built, install, length, manifest, named, sealed, section, sections};

/// An empty component.
const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

/// Two programs in one component, of which the first hands a text to the other.
const COMPOSED: &str = "\
    0061736d0d00010004d1010061736d0d00010001540061736d01000000010e0260047f7f7f7f017f60027f7f00030302\
    00010503010001071a03066d656d6f72790200077265616c6c6f6300000373617900010a0902040041000b02000b0009\
    046e616d650002016d020401000000070b0140010474657874730100062003000001000373617900020100066d656d6f\
    727900000100077265616c6c6f63080a010000000203000401000b0901000373617901000000250e636f6d706f6e656e\
    742d6e616d650004036f6e65010600110100016d010600120100016904d4020061736d0d000100070b01400104746578\
    747301000a08010003736179010001480061736d0100000001090160047f7f7f7f017f03020100050301000107140206\
    6d656d6f72790200077265616c6c6f6300000a0601040041000b000c046e616d650005046c6962630204010000000618\
    0200020100066d656d6f727900000100077265616c6c6f63080901010000020300040001460061736d01000000010902\
    60027f7f00600000020801000373617900000302010107060102676f00010a0a0108004100410410000b000f046e616d\
    650002016e010401000173020f020101037361790001000101001201070501400001000608010000010202676f080601\
    00000200010b08010002676f01010000420e636f6d706f6e656e742d6e616d6500040374776f01090000010104736169\
    64010c00110200046c69626301016e010900120200016c02016701070101000373617905040100000006080101000003\
    736179050a0100010103736179010000300e636f6d706f6e656e742d6e616d65010c040200036f6e65010374776f0111\
    05020005666972737401067365636f6e64";

/// A good plugin's file, with further sections of these bytes behind it.
fn with(further: &[u8]) -> Vec<u8> {
    let mut file = built("hostile-echo");
    file.extend(further);
    file
}

/// A program of one long function: numbers divided by one another, one by one.
fn dividing(times: usize) -> Vec<u8> {
    let one_to_one = [1, 0x60, 1, 0x7e, 1, 0x7e];
    let mut body = vec![0, 0x20, 0];
    body.extend([0x20, 0, 0x7f].repeat(times));
    body.push(0x0b);
    let code = [length(1), length(body.len()), body].concat();
    let head = b"\0asm\x01\0\0\0".to_vec();
    [
        head,
        section(1, &one_to_one),
        section(3, &[1, 0]),
        section(10, &code),
    ]
    .concat()
}

#[test]
fn h4_components_within_components_end_at_a_limit() {
    let mut nested = EMPTY.to_vec();
    for _ in 0..20 {
        nested = [EMPTY.to_vec(), section(4, &nested)].concat();
    }
    let ran = install(&Workspace::new(), &with(&section(4, &nested)));
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("component-nesting"), "{}", ran.err);
}

#[test]
fn h4_a_file_that_fills_the_memory_when_it_is_compiled_is_refused() {
    let workspace = Workspace::new();
    let ran = install(&workspace, &with(&section(1, &dividing(330_000))));
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("compile-memory"), "{}", ran.err);
    let _ = install(&workspace, &with(&section(1, &dividing(1_000)))).ok();
}

#[test]
fn h6_two_manifests_are_refused() {
    let other = manifest(&built("hostile-echo")).replace("hostile-echo", "acme.other");
    let twice = with(&named("kjerne:manifest", other.as_bytes()));
    let ran = install(&Workspace::new(), &twice);
    assert_eq!(ran.code, 3, "{}", ran.out);
    assert!(ran.err.contains("twice"), "{}", ran.err);
}

/// The file comes through a pipe that stays open: whoever wants all of it waits for ever.
#[cfg(unix)]
#[test]
fn h6_of_a_file_that_is_too_large_no_more_is_read_than_tells_so() {
    let workspace = Workspace::new();
    let mut command = workspace.command(&["plugin", "install", "--unsigned", "/dev/stdin"]);
    command
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let block = vec![0; 1 << 20];
    let written = (0..34)
        .take_while(|_| pipe.write_all(&block).is_ok())
        .count();
    let until = Instant::now() + Duration::from_secs(20);
    let mut ended = None;
    while ended.is_none() && Instant::now() < until {
        ended = child.try_wait().unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
    let code = ended.and_then(|status| status.code());
    assert!(code == Some(3), "{code:?} after {written} MiB");
    drop(pipe);
}

/// Why a manifest cannot be read is told with the line it is about.
#[test]
fn h10_a_manifest_that_cannot_be_read_reaches_no_screen_as_it_is() {
    let text = format!(
        "\u{1b}[2J\u{202e} = 1\n{}",
        manifest(&built("hostile-echo"))
    );
    let ran = install(&Workspace::new(), &sealed(&built("hostile-echo"), &text));
    assert_eq!(ran.code, 3, "{}", ran.out);
    assert!(!ran.err.contains(['\u{1b}', '\u{202e}']), "{:?}", ran.err);
}

#[test]
fn h11_a_component_of_several_programs_is_taken() {
    let bytes = |at: usize| u8::from_str_radix(&COMPOSED[at..at + 2], 16).unwrap();
    let composed: Vec<u8> = (0..COMPOSED.len()).step_by(2).map(bytes).collect();
    let before = built("hostile-echo");
    let components = sections(&before)
        .iter()
        .filter(|(what, ..)| *what == 4)
        .count();
    // It is made, by its number among the components of the file, with nothing handed to it.
    let make = [vec![1, 0], length(components), vec![0]].concat();
    let further = [section(4, &composed), section(5, &make)].concat();
    let _ = install(&Workspace::new(), &with(&further)).ok();
}

/// A guest in JavaScript or Python imports every function of an interface.
#[test]
fn h12_an_import_without_a_grant_is_no_reason_to_refuse_a_file() {
    let program = built("hostile-each");
    let full = manifest(&program);
    let (silent, _) = full.split_once("[[grant]]").unwrap();
    let workspace = Workspace::new();
    let _ = install(&workspace, &sealed(&program, silent)).ok();
    let _ = workspace.run(&["plugin", "enable", "hostile-each"]).ok();
    // What it does with them is refused where it does it, and its shape goes on.
    let _ = workspace
        .run(&["create", "account", "name=Granholt AS"])
        .ok();
    let logs = workspace.run(&["plugin", "logs", "hostile-each"]).ok();
    assert!(logs.out.contains("not-granted"), "{}", logs.out);
}

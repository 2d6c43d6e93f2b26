//! What the demo is told.

use std::path::PathBuf;

use clap::Args;

use kjerne_bench::demo::generate::Size;

/// `demo`
#[derive(Args, Debug)]
pub struct DemoArgs {
    /// The seed of the data; the same seed gives the same data.
    #[arg(long, default_value_t = 7380)]
    pub seed: u64,
    /// Accounts.
    #[arg(long, default_value_t = Size::default().accounts)]
    pub accounts: usize,
    /// Contacts.
    #[arg(long, default_value_t = Size::default().contacts)]
    pub contacts: usize,
    /// Opportunities, each with stage history and a buying group.
    #[arg(long, default_value_t = Size::default().opportunities)]
    pub opportunities: usize,
    /// Cases.
    #[arg(long, default_value_t = Size::default().cases)]
    pub cases: usize,
    /// Activities.
    #[arg(long, default_value_t = Size::default().activities)]
    pub activities: usize,
    /// Months they are spread over.
    #[arg(long, default_value_t = Size::default().months)]
    pub months: usize,
    /// Print the summary and do not serve.
    #[arg(long)]
    pub once: bool,
    /// Where the built-in plugins are; otherwise beside the program.
    #[arg(long, value_name = "DIR")]
    pub plugins: Option<PathBuf>,
}

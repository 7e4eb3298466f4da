//! The texts of `--help`.

use super::Cli;
use clap::CommandFactory as _;

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn help_is_worth_reading() {
    let mut cli = Cli::command().term_width(100);
    cli.build();
    insta::assert_snapshot!("help", cli.render_long_help().to_string());
    for name in ["status", "reissue", "check", "completion"] {
        let help = cli.find_subcommand_mut(name).unwrap().render_long_help().to_string();
        insta::assert_snapshot!(format!("help_{name}"), help);
    }
}

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/loading.h"
#include "cli/model_rows.h"
#include "cli/progress.h"
#include "cli/run_folder.h"
#include "cli/stop_signal.h"
#include "cli/torchrun.h"
#include "data/loading.h"
#include "diptych/model.h"
#include "nn/versions.h"
#include "train/epoch_json.h"
#include "train/trainer.h"

namespace diptych {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  fs::path data;
  fs::path output;
  bool overwrite = false;
  bool resume = false;
  bool profile = false;
};

// What every process does after each step.
class Stoppable : public Observer {
 public:
  void on_step(const StepProgress&) override { StopSignal::throw_if_raised(); }
};

// Draws the bar, prints a line an epoch, and keeps metrics.jsonl.
class Reporter final : public Stoppable {
 public:
  Reporter(Progress& progress, fs::path folder)
      : progress_(progress), folder_(std::move(folder)), metrics_(folder_ / kMetricsName) {}

  void on_step(const StepProgress& step) override {
    Stoppable::on_step(step);
    const double done =
        (step.epoch - 1 + static_cast<double>(step.step) / step.steps) / step.epochs;
    progress_.live(
        done, fmt::format("epoch {}/{}  loss {:.3f}  accuracy {:.3f}  {:.0f} rows/s  {} left",
                          step.epoch, step.epochs, step.loss, step.accuracy, step.rows_per_second,
                          clock_text(step.seconds_left)));
  }

  void on_epoch(const EpochRecord& epoch) override {
    append_line(metrics_, nlohmann::json(epoch).dump());
    progress_.line(fmt::format(
        "epoch {:3}  train: loss {:.3f} accuracy {:.3f}   validation: loss {:.3f} accuracy {:.3f}",
        epoch.epoch, epoch.train_loss, epoch.train_accuracy, epoch.validation_loss,
        epoch.validation_accuracy));
  }

  void on_profile(const std::vector<ProfilePart>& parts, int steps,
                  const std::string& trace) override {
    write_file(folder_ / kTraceName, trace);
    std::cout << profile_table(parts, steps)
              << fmt::format("over {} steps; every operator: {}, for Perfetto\n", steps,
                             (folder_ / kTraceName).string());
  }

 private:
  Progress& progress_;
  fs::path folder_, metrics_;
};

void write_metrics(const fs::path& path, const std::vector<EpochRecord>& history) {
  std::string lines;
  for (const EpochRecord& epoch : history) lines += nlohmann::json(epoch).dump() + "\n";
  write_file(path, lines);
}

// On --resume the folder may hold a run that was stopped, or nothing yet.
void open_run(const Arguments& given) {
  make_output_folder(given.output, given.overwrite || given.resume);
  remove_partial_files(given.output);
  if (given.resume) return;
  for (const char* name : {kModelFileName, kCheckpointName, kMetricsName}) {
    fs::remove(given.output / name);
  }
}

// Whether the folder holds this very run, finished, so that a resume has nothing left to do.
bool is_finished(const Arguments& given, const Config& config, const Dataset& dataset) {
  const fs::path file = given.output / kModelFileName;
  if (!given.resume || fs::exists(given.output / kCheckpointName) || !fs::exists(file))
    return false;
  const Model model = Model::load(file);
  const std::string other_settings = difference(model.config(), config);
  const bool same_data = is_trained_on(model, dataset);
  if (other_settings.empty() && same_data) return true;
  throw Error(ErrorKind::exists,
              same_data ? "the finished run has other settings:\n" + other_settings
                        : "the finished run has other data",
              file.string(), "replace it with --overwrite, or choose another place with -o");
}

void say_outcome(const fs::path& file, const Model& model) {
  const auto provenance = nlohmann::json::parse(model.provenance());
  const auto& validation = provenance.at("validation");
  std::cout << fmt::format(
      "{}: validation accuracy {:.1f} %, log loss {:.3f} (epoch {} of {})\n", file.string(),
      100 * validation.at("accuracy").get<double>(), validation.at("log_loss").get<double>(),
      provenance.at("best_epoch").get<int>(), provenance.at("epochs").get<int>());
}

void say_rows(const Dataset& dataset, const Split& split, Inputs inputs, Progress& progress) {
  progress.line(rows_line(dataset));
  progress.line(fmt::format("train {}, validation {}, test {} rows{}; {} classes; inputs {}",
                            split.train.size(), split.validation.size(), split.test.size(),
                            dataset.gives_split() ? " as the data gives them" : "",
                            dataset.classes().size(), inputs_name(inputs)));
}

void write_outcome(const fs::path& folder, const TrainResult& result) {
  write_metrics(folder / kMetricsName, result.history);
  write_file(folder / kModelFileName, result.model);
  fs::remove(folder / kCheckpointName);
}

// In each process that shares the training: the files and the words are the first one's.
void run(const Arguments& given, const Config& config) {
  const StopSignal listening;
  const Meeting meeting = torchrun_meeting();
  const bool is_first = meeting.rank == 0;
  require_device(config, meeting.size);
  if (is_first) open_run(given);
  Progress progress(is_first);
  TrainOptions options;
  options.threads = config.threads > 0 ? config.threads : threads_of_process();
  const LoadedData data =
      load_with_progress(given.data, config, {.threads = options.threads}, progress);
  const Split split = make_split(data.dataset, split_options(config), config.seed);
  if (is_first) write_file(given.output / kProblemsName, problems_csv(data.dataset.problems()));
  say_rows(data.dataset, split, config.inputs, progress);
  const auto world = join_world(meeting, StopSignal::throw_if_raised);
  try {
    const bool finished = is_first && is_finished(given, config, data.dataset);
    if (world->of_first(finished ? "finished" : "").empty()) {
      options.checkpoint = given.output / kCheckpointName;
      options.resume = given.resume;
      options.profiled_steps = given.profile ? 50 : 0;
      options.world = world.get();
      Reporter reporter(progress, given.output);
      Stoppable silent;
      const TrainResult result =
          train(config, {data.dataset, &data.images, split}, options, is_first ? reporter : silent);
      if (is_first) write_outcome(given.output, result);
    }
    if (is_first) say_outcome(given.output / kModelFileName, Model::load(given.output));
  } catch (const Error& error) {
    world->leave(error.what());
    throw;
  }
}

}  // namespace

Action declare_train(CLI::App& command) {
  auto given = std::make_shared<Arguments>();
  add_data(command, "DATA", given->data, "A table, a folder or shards: see below")->required();
  command.add_option("-o,--output", given->output, "The run's folder")->required();
  command.add_flag("--overwrite", given->overwrite, "Replace the run that the folder holds");
  command.add_flag("--resume", given->resume, "Go on with a run that was stopped");
  command.add_flag("--profile", given->profile,
                   "Print where the time of 50 steps goes; trace.json for Perfetto");
  const Settings settings(
      command, {OptionGroup::preset, OptionGroup::data, OptionGroup::model, OptionGroup::training,
                OptionGroup::machine, OptionGroup::device});
  return [given, settings] {
    const ResolvedConfig resolved = settings.resolve();
    if (!settings.print_if_asked(resolved)) run(*given, resolved.config);
  };
}

}  // namespace diptych

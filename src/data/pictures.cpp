#include "data/pictures.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <new>
#include <numeric>

#include "base/file.h"
#include "base/parallel.h"

namespace diptych {
namespace {

std::unique_ptr<ContainedPictures> open_container(const ImageContainer& container) {
  switch (container.kind) {
    case ImageContainer::Kind::tar:
      return open_tar_pictures(container.path);
    case ImageContainer::Kind::table:
      return open_table_pictures(container.path, container.column);
  }
  throw Error(ErrorKind::internal, "a container of no known kind", container.path.string());
}

// Files first, then containers in the order of their first row, each from its start to its end.
RowVector<std::size_t> reading_order(const PictureColumn& pictures) {
  RowVector<std::size_t> order(pictures.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return pictures.place_in_order(a) < pictures.place_in_order(b);
  });
  return order;
}

}  // namespace

RowProblem problem_of(const Example& example, const Error& error) {
  const bool missing = error.kind() == ErrorKind::not_found;
  const std::string& path = example.image.path.string();
  return {example.row, example.id, missing ? Problem::missing_image : Problem::unreadable_image,
          missing && !path.empty() ? path : error.what()};
}

std::string read_picture_file(const std::filesystem::path& path) {
  return read_file(path, kMaxPictureBytes);
}

PictureReader::PictureReader(Dataset rows)
    : rows_(std::move(rows)), order_(reading_order(rows_.columns().pictures)) {}

// Of a container that cannot be opened, every picture is told the same at once.
std::string PictureReader::read_contained(const ImageSource& source) {
  if (container_ != source.container) {
    container_ = source.container;
    pictures_.reset();
    broken_.reset();
    try {
      pictures_ = open_container(*container_);
    } catch (const Error& error) {
      broken_ = error;
    }
  }
  if (broken_) throw *broken_;
  return pictures_->read(source.index);
}

std::optional<PictureBytes> PictureReader::next() {
  std::unique_lock lock(mutex_);
  if (next_ == order_.size()) return std::nullopt;
  PictureBytes picture{order_[next_++], {}, {}};
  const ImageSource source = rows_.columns().pictures[picture.row];
  try {
    if (source.container) {
      picture.bytes = read_contained(source);
    } else if (!source.path.empty()) {
      lock.unlock();
      picture.bytes = read_picture_file(source.path);
    }
  } catch (const Error& error) {
    picture.error = error;
  } catch (const std::bad_alloc&) {
    picture.error = Error(ErrorKind::data, "there is not enough memory for its bytes");
  }
  return picture;
}

std::vector<RowProblem> visit_pictures(
    const Dataset& rows, int threads,
    const std::function<void(std::size_t, const std::string&)>& visit,
    const std::function<void(std::size_t, std::size_t)>& progress) {
  std::map<std::size_t, RowProblem> found;  // by row
  std::mutex mutex;
  PictureReader reader(rows);
  std::atomic<std::size_t> done{0};
  parallel_for(rows.size(), threads, [&](std::size_t) {
    const PictureBytes picture = reader.next().value();  // as many as there are rows
    if (rows.columns().pictures.has(picture.row)) {
      try {
        if (picture.error) throw *picture.error;
        visit(picture.row, picture.bytes);
      } catch (const Error& error) {
        RowProblem problem = problem_of(rows[picture.row], error);
        const std::lock_guard lock(mutex);
        found.emplace(picture.row, std::move(problem));
      }
    }
    const std::size_t count = ++done;
    if (progress) progress(count, rows.size());
  });
  std::vector<RowProblem> problems;
  for (auto& [row, problem] : found) problems.push_back(std::move(problem));
  return problems;
}

}  // namespace diptych
